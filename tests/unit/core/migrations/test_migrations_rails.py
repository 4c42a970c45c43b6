"""What Rails' migrations mean for stable."""

import pytest

from bot.core.assessment import Impact
from bot.core.migrations import read_migration

FINE, UNCLEAR, BREAKS = Impact.ADDITIVE, Impact.UNCLEAR, Impact.NOT_ADDITIVE

RAILS = [
    (FINE, "create_table :a do |t|\n      t.string :b, null: false\n      t.timestamps\n    end"),
    (FINE, "create_table :a\n    add_column :a, :b, :string, null: false"),
    (FINE, "add_column :a, :b, :string"),
    (FINE, "add_column :a, :b, :boolean, null: false, default: false"),
    (BREAKS, "add_column :a, :b, :boolean,\n      null: false"),
    (BREAKS, "add_column :a, :b, :boolean, null: false, default: nil"),
    (BREAKS, "remove_column :a, :b, :string"),
    (BREAKS, "remove_columns(:a, :b, :c)"),
    (BREAKS, "safety_assured { remove_column :a, :b }"),
    (BREAKS, "safety_assured do\n      remove_column :a, :b\n    end"),
    (BREAKS, "rename_column :a, :b, :c"),
    (BREAKS, "rename_table :a, :b"),
    (BREAKS, "change_column :a, :b, :text"),
    (BREAKS, "change_column :a, :b, :integer"),
    (BREAKS, "change_column_null :a, :b, false"),
    (FINE, "change_column_null :a, :b, true"),
    (BREAKS, "change_column_default :a, :b, from: 1, to: nil"),
    (FINE, "change_column_default :a, :b, from: nil, to: 1"),
    (FINE, "add_index :a, [:b, :c], algorithm: :concurrently"),
    (BREAKS, "add_index :a, :b, unique: true"),
    (FINE, "add_column :a, :b, :string\n    add_index :a, :b, unique: true"),
    (FINE, "remove_index :a, :b"),
    (FINE, "add_reference :a, :b, foreign_key: true"),
    (BREAKS, "add_reference :a, :b, null: false, foreign_key: true"),
    (BREAKS, "add_foreign_key :a, :bs, validate: false"),
    (BREAKS, "add_check_constraint :a, 'b > 0'"),
    (BREAKS, "add_timestamps :a"),
    (BREAKS, "drop_table :a"),
    (BREAKS, "create_table :a, force: true do |t|\n    end"),
    (BREAKS, "execute <<~SQL\n      DROP TABLE a\n    SQL"),
    (BREAKS, 'execute("ALTER TABLE a DROP COLUMN b")'),
    (UNCLEAR, "execute sql"),
    (UNCLEAR, "User.update_all(a: 1)"),
    (UNCLEAR, "User.where(a: nil).find_each do |u|\n      u.update!(a: 1)\n    end"),
    (UNCLEAR, "frobnicate :a"),
    (BREAKS, "change_table :a do |t|\n      t.remove :b\n    end"),
    (BREAKS, "change_table :a, bulk: true do |t|\n      t.string :b, null: false\n    end"),
    (FINE, "reversible do |dir|\n      dir.down do\n        drop_table :a\n      end\n    end"),
    (BREAKS, "reversible do |dir|\n      dir.up do\n        drop_table :a\n      end\n    end"),
    (BREAKS, "remove_column :a, :b if column_exists?(:a, :b)"),
]


@pytest.mark.parametrize(("impact", "body"), RAILS)
def test_what_change_does_is_read(impact: Impact, body: str) -> None:
    text = (
        "# frozen_string_literal: true\n\nclass X < ActiveRecord::Migration[7.1]\n"
        f"  disable_ddl_transaction!\n\n  def change\n    {body}\n  end\nend\n"
    )
    found = read_migration("db/migrate/20240101000000_x.rb", text)
    assert found.dialect == "rails"
    assert found.worst is impact, found.statements


def test_down_is_not_read() -> None:
    text = (
        "class X < ActiveRecord::Migration[7.1]\n  def up\n    add_column :a, :b, :string\n  end\n\n"
        "  def down\n    if true\n      drop_table :a\n    end\n    remove_column :a, :b\n  end\nend\n"
    )
    found = read_migration("db/migrate/20240101000000_x.rb", text)
    assert [(one.line, one.impact) for one in found.statements] == [(3, FINE)]
