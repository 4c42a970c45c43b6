"""The way out of each kind of change: the same in steps of which every one can be rolled back."""

from typing import Final

DROP_COLUMN: Final = (
    "Release 1: stop reading and writing the column. Release 2, once 1 is everywhere: drop it."
)
DROP_THING: Final = "Release 1: stop using it. Release 2, once 1 is everywhere: drop it."
RENAME_COLUMN: Final = (
    "Release 1: add the new column, write both, copy the old rows. Release 2: read the new one only. "
    "Release 3, once 2 is everywhere: drop the old one."
)
RENAME_THING: Final = (
    "Release 1: give it the new name and leave the old one as a view or a synonym. Release 2: use "
    "the new name. Release 3, once 2 is everywhere: drop the old name."
)
CHANGE_TYPE: Final = (
    "Release 1: add a column of the new type, write both, copy the old rows. Release 2: read the "
    "new one only. Release 3, once 2 is everywhere: drop the old one."
)
SET_NOT_NULL: Final = (
    "Release 1: always write a value, and fill the old rows. Release 2, once 1 is everywhere: set "
    "NOT NULL."
)
ADD_FILLED: Final = (
    "Release 1: add the column with NULL allowed or with a default of the database's own, and write "
    "it. Release 2, once 1 is everywhere and old rows are filled: set NOT NULL."
)
ADD_FIELD: Final = (
    "Release 1: add the field with db_default=… (Django 5) or null=True, and write it. Release 2, "
    "once 1 is everywhere and old rows are filled: drop null=True."
)
ADD_UNIQUE: Final = (
    "Release 1: write no value twice, and clean up the old rows. Release 2, once 1 is everywhere: "
    "add the unique constraint."
)
ADD_CHECK: Final = (
    "Release 1: write only what the rule allows, and mend the old rows. Release 2, once 1 is "
    "everywhere: add the rule."
)
KEEP_DEFAULT: Final = "Release 1: always write a value of your own. Release 2, once 1 is everywhere: drop the default."
BACKFILL: Final = (
    "Release 1: make the code understand the old and the new data. Then change the data, in a "
    "release of its own that both revisions live with."
)
VALUES: Final = (
    "Release 1: add the new value and stop writing the old one. Release 2, once 1 is everywhere and "
    "no row has it: drop the old value."
)
PRIMARY_KEY: Final = (
    "Release 1: add the new key beside the old one, as a unique index. Release 2: use it. Release 3, "
    "once 2 is everywhere: change the primary key."
)
POLICY: Final = (
    "Release 1: make the code live with both policies (set what they look at). Release 2, once 1 is "
    "everywhere: change the policies."
)
REVOKE: Final = "Release 1: stop needing the right. Release 2, once 1 is everywhere: revoke it."
PARTITION: Final = "Release 1: stop using the rows of that partition. Release 2, once 1 is everywhere: take it away."
REPLACE: Final = (
    "Check that it takes and gives what it did; else release it under a new name, use that, and "
    "drop the old one later."
)
TRIGGER: Final = (
    "Check that it never refuses or changes what the old code writes; else release it once the new "
    "code is everywhere."
)
LOOK: Final = (
    "Somebody who knows the database must look: do the old code's reads and writes still work after "
    "it?"
)
EDITED: Final = "Leave the old migration as it was, and put what changes into a new one."
