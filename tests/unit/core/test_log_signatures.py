"""Lines of the same fault get the same signature."""

import pytest

from bot.core.logs import signature

SAME: dict[str, tuple[str, ...]] = {
    # Python
    'psycopg2.errors.UndefinedColumn: column "discount" of relation "orders" does not exist': (
        'psycopg2.errors.UndefinedColumn: column "discount" of relation "orders" does not exist',
        (
            '2026-03-02 12:00:00,123 psycopg2.errors.UndefinedColumn: column "discount" of relation'
            ' "orders" does not exist'
        ),
    ),
    "[ERROR] app.checkout: payment <uuid> failed for order <n> after <n>": (
        (
            "[ERROR] app.checkout: payment 550e8400-e29b-41d4-a716-446655440000 failed for order 4711"
            " after 30.5s"
        ),
        (
            "2026-03-02T12:00:00.123456+00:00 [ERROR] app.checkout: payment"
            " 6ba7b810-9dad-11d1-80b4-00c04fd430c8 failed for order 12 after 900ms"
        ),
    ),
    "ERROR [worker-<n>] celery.app.trace: Task shop.tasks.mail[<uuid>] raised unexpected: <str>": (
        (
            "ERROR [worker-3] celery.app.trace: Task shop.tasks.mail[550e8400-e29b-41d4-a716-"
            "446655440000] raised unexpected: 'Bob said no'"
        ),
        (
            "ERROR [worker-17] celery.app.trace: Task shop.tasks.mail[6ba7b810-9dad-11d1-80b4-"
            "00c04fd430c8] raised unexpected: 'Ann gave up'"
        ),
    ),
    "KeyError: 'discount'": ("KeyError: 'discount'",),
    "KeyError: <n>": ("KeyError: 4711", "KeyError: 12"),
    "AttributeError: 'NoneType' object has no attribute 'total'": (
        "AttributeError: 'NoneType' object has no attribute 'total'",
    ),
    "NameError: name 'discount' is not defined": ("NameError: name 'discount' is not defined",),
    "ModuleNotFoundError: No module named 'stripe.api'": (
        "ModuleNotFoundError: No module named 'stripe.api'",
    ),
    "TypeError: total() missing <n> required positional argument: 'order'": (
        "TypeError: total() missing 1 required positional argument: 'order'",
    ),
    "ValueError: could not convert string to float: <str>": (
        "ValueError: could not convert string to float: '12,5'",
        "ValueError: could not convert string to float: 'twelve'",
    ),
    "FileNotFoundError: [Errno 2] No such file or directory: <str>": (
        "FileNotFoundError: [Errno 2] No such file or directory: '/mnt/data/tmpab12cd/x.json'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/mnt/data/tmpzz98yx/y.json'",
    ),
    "redis.exceptions.ConnectionError: Error <n> connecting to <ip>. Connection refused.": (
        (
            "redis.exceptions.ConnectionError: Error 111 connecting to 10.0.0.7:6379. Connection"
            " refused."
        ),
    ),
    "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host=<str>, port=<n>): Read timed out."
    " (read timeout=<n>)": (
        (
            "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='pay.example.com', port=443):"
            " Read timed out. (read timeout=5)"
        ),
        (
            "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='pay2.example.com', port=8443):"
            " Read timed out. (read timeout=2.5)"
        ),
    ),
    "<Order object at <hex>> is in state <n>": (
        "<Order object at 0x7f8b8c0d5e80> is in state 3",
        "<Order object at 0x7f1122334455> is in state 17",
    ),
    "DataError: value too long for type character varying(<n>)": (
        "DataError: value too long for type character varying(20)",
        "DataError: value too long for type character varying(255)",
    ),
    "alembic.util.exc.CommandError: Can't locate revision identified by <str>": (
        "alembic.util.exc.CommandError: Can't locate revision identified by '1a2b3c4d5e6f'",
    ),
    # Postgres
    "ERROR: column orders.discount does not exist at character <n>": (
        "2026-03-02 12:00:00.123 UTC ERROR:  column orders.discount does not exist at character 8",
        "ERROR:  column orders.discount does not exist at character 15",
    ),
    'ERROR: relation "orders_<n>" does not exist': (
        'ERROR:  relation "orders_2024_03" does not exist',
        'ERROR:  relation "orders_2024_04" does not exist',
    ),
    'ERROR: duplicate key value violates unique constraint "users_email_key" DETAIL: Key (email)'
    "=(<value>) already exists.": (
        (
            'ERROR:  duplicate key value violates unique constraint "users_email_key"\n'
            "DETAIL:  Key (email)=(bob@example.com) already exists."
        ),
        (
            'ERROR:  duplicate key value violates unique constraint "users_email_key"\n'
            "DETAIL:  Key (email)=(ann@example.org) already exists."
        ),
    ),
    'null value in column "discount" of relation "orders" violates not-null constraint': (
        'null value in column "discount" of relation "orders" violates not-null constraint',
    ),
    'FATAL: role "shop" does not exist': ('FATAL:  role "shop" does not exist',),
    "FATAL: password authentication failed for user <str>": (
        'FATAL:  password authentication failed for user "bob"',
    ),
    'SQLSTATE[42703]: Undefined column: <n> ERROR: column "discount" does not exist': (
        'SQLSTATE[42703]: Undefined column: 7 ERROR:  column "discount" does not exist',
    ),
    "ERROR: deadlock detected DETAIL: Process <n> waits for ShareLock on transaction <n>": (
        "ERROR:  deadlock detected\nDETAIL:  Process 12 waits for ShareLock on transaction 99",
        "ERROR:  deadlock detected\nDETAIL:  Process 4711 waits for ShareLock on transaction 5",
    ),
    # MySQL, Oracle, SQLite, SQL Server
    "ERROR 1054 (42S22): Unknown column 'discount' in <str>": (
        "ERROR 1054 (42S22): Unknown column 'discount' in 'field list'",
    ),
    "ERROR 1146 (42S02): Table 'shop.orders' doesn't exist": (
        "ERROR 1146 (42S02): Table 'shop.orders' doesn't exist",
    ),
    "pymysql.err.OperationalError: (<n>, \"Unknown column 'orders.discount' in <str>\")": (
        "pymysql.err.OperationalError: (1054, \"Unknown column 'orders.discount' in 'field list'\")",
    ),
    "Duplicate entry <str> for key 'users.email'": (
        "Duplicate entry 'bob' for key 'users.email'",
        "Duplicate entry 'O'Hara' for key 'users.email'",
    ),
    'ORA-00904: "ORDERS"."DISCOUNT": invalid identifier': (
        'ORA-00904: "ORDERS"."DISCOUNT": invalid identifier',
    ),
    "sqlite3.OperationalError: no such column: orders.discount": (
        "sqlite3.OperationalError: no such column: orders.discount",
    ),
    "com.microsoft.sqlserver.jdbc.SQLServerException: Invalid column name 'discount'.": (
        "com.microsoft.sqlserver.jdbc.SQLServerException: Invalid column name 'discount'.",
    ),
    # Java
    'java.lang.NullPointerException: Cannot invoke "com.acme.Order.total()" because "order" is'
    " null": (
        (
            'java.lang.NullPointerException: Cannot invoke "com.acme.Order.total()" because "order"'
            " is null"
        ),
    ),
    "[http-nio-<n>-exec-<n>] ERROR c.a.shop.Checkout - Order <n> of <email> failed": (
        (
            "12:00:00.123 [http-nio-8080-exec-12] ERROR c.a.shop.Checkout - Order 4711 of"
            " bob@example.com failed"
        ),
        (
            "23:59:59.001 [http-nio-8081-exec-3] ERROR c.a.shop.Checkout - Order 1 of"
            " ann.b@example.org failed"
        ),
    ),
    "com.acme.Session@<hex> has expired": (
        "com.acme.Session@1b2c3d4 has expired",
        "com.acme.Session@7fe01 has expired",
    ),
    # Go
    "panic: runtime error: index out of range [<n>] with length <n>": (
        "panic: runtime error: index out of range [5] with length 3",
        "panic: runtime error: index out of range [17] with length 12",
    ),
    "http: panic serving <ip>: runtime error: invalid memory address or nil pointer dereference": (
        (
            "2026/03/02 12:00:00 http: panic serving 10.1.2.3:53412: runtime error: invalid memory"
            " address or nil pointer dereference"
        ),
        (
            "2026/03/03 01:02:03 http: panic serving [2001:db8::17]:4711: runtime error: invalid"
            " memory address or nil pointer dereference"
        ),
    ),
    "controller.go:<n>] Reconciler error: timed out after <n>": (
        "E0302 12:00:00.123456   12345 controller.go:114] Reconciler error: timed out after 1m30s",
        "E0303 01:02:03.000001       7 controller.go:99] Reconciler error: timed out after 250ms",
    ),
    'level=error ts=<time> caller=main.go:<n> msg="query failed" err="pq: column \\"discount\\"'
    ' does not exist"': (
        (
            'level=error ts=2026-03-02T12:00:00.123Z caller=main.go:42 msg="query failed" err="pq:'
            ' column \\"discount\\" does not exist"'
        ),
        (
            'level=error ts=2026-03-02T12:00:09Z caller=main.go:7 msg="query failed" err="pq: column'
            ' \\"discount\\" does not exist"'
        ),
    ),
    "dial tcp <ip>: connect: connection refused": (
        "dial tcp 10.0.0.7:5432: connect: connection refused",
        "dial tcp [::1]:5432: connect: connection refused",
    ),
    # Node
    "TypeError: Cannot read properties of undefined (reading 'total')": (
        "TypeError: Cannot read properties of undefined (reading 'total')",
    ),
    "Error: Cannot find module './lib/price'": ("Error: Cannot find module './lib/price'",),
    "Error: connect ECONNREFUSED <ip>": (
        "Error: connect ECONNREFUSED 10.0.3.7:5432",
        "Error: connect ECONNREFUSED 127.0.0.1:80",
    ),
    "UnhandledPromiseRejectionWarning: Error: order <n> not found": (
        "UnhandledPromiseRejectionWarning: Error: order 4711 not found",
        "UnhandledPromiseRejectionWarning: Error: order 12 not found",
    ),
    # Rails
    "NoMethodError (undefined method `total' for nil:NilClass)": (
        "NoMethodError (undefined method `total' for nil:NilClass)",
    ),
    "[<uuid>] ActiveRecord::StatementInvalid (PG::UndefinedColumn: ERROR: column orders.discount"
    " does not exist": (
        (
            "[550e8400-e29b-41d4-a716-446655440000] ActiveRecord::StatementInvalid"
            " (PG::UndefinedColumn: ERROR:  column orders.discount does not exist"
        ),
    ),
    # Servers and platforms
    "upstream returned status=502 for pod checkout-<pod>": (
        "upstream returned status=502 for pod checkout-7d9f8b6c5d-x2k4q",
        "upstream returned status=502 for pod checkout-5c6b7d8f9-bcdfg",
    ),
    "GET https://api.example.com/v<n>/users/<n>/orders?<query> failed": (
        "GET https://api.example.com/v1/users/42/orders?page=3 failed",
        "GET https://api.example.com/v2/users/4711/orders?page=9&size=10 failed",
    ),
    "web-<n> app[<n>]: out of memory: killed process <n>": (
        "Mar  2 12:00:00 web-1 app[1234]: out of memory: killed process 99",
        "Mar 12 02:03:04 web-9 app[7]: out of memory: killed process 4711",
    ),
    "can't encode utf8 to s3 on k8s for the user's order<n>": (
        "can't encode utf8 to s3 on k8s for the user's order12345",
    ),
}


def test_the_table_is_broad() -> None:
    """More than sixty lines of six kinds of program are in the table."""
    assert sum(map(len, SAME.values())) >= 60
    assert len(SAME) >= 45


@pytest.mark.parametrize(
    ("line", "expected"), [(line, name) for name, lines in SAME.items() for line in lines]
)
def test_a_signature_keeps_what_says_which_fault_it_is(line: str, expected: str) -> None:
    """Lines that differ in numbers, ids, times and literals only have one signature."""
    assert signature(line) == expected
