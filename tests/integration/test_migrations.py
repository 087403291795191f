"""What init makes: the schema, once, on either database, whatever happened before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, inspect, text

from retention.acts.setup import set_up
from retention.audit.tables import metadata as audit_tables
from retention.context import open_context
from retention.errors import Exit, KeyFileError, SchemaError, UsageError
from retention.resources import resource
from retention.store.engine import open_database
from retention.store.schema import VERSION
from retention.store.service_tables import ALL as STORE_TABLES
from tests.integration.work import Work
from tests.kit import NOW, Office, row

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

METADATA = (STORE_TABLES, audit_tables)


def test_migrations_make_what_the_program_describes(work: Work) -> None:
    with work.context.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, _together()) == []


def _together() -> MetaData:
    joint = MetaData()
    for metadata in METADATA:
        for table in metadata.tables.values():
            table.to_metadata(joint)
    return joint


def test_migrations_spell_every_sqlite_table_as_the_program_describes_it(sqlite_work: Work, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'described.db'}")
    for metadata in METADATA:
        metadata.create_all(engine)
    spelled = text("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'")
    with engine.connect() as connection:
        described = {name: " ".join(sql.split()) for name, sql in connection.execute(spelled)}
    engine.dispose()
    made = {name: " ".join(sql.split()) for name, sql in sqlite_work.ask(spelled.text)}
    assert made == described


def test_migrations_make_every_postgres_column_as_the_program_describes_it(
    postgres_database: str, tmp_path: Path
) -> None:
    work = Work(Office(tmp_path, postgres_database).found())
    with work.context.database.engine.connect() as connection:
        connection.execute(text("CREATE SCHEMA described"))
        translated = connection.execution_options(schema_translate_map={None: "described"})
        for metadata in METADATA:
            metadata.create_all(translated)
        made, described = _columns(connection, "public"), _columns(connection, "described")
        keys_made, keys_described = _constraints(connection, "public"), _constraints(connection, "described")
    work.context.database.close()
    assert made == described
    assert keys_made == keys_described


def _columns(connection: Connection, schema: str) -> list[tuple[object, ...]]:
    sql = text(
        "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, collation_name, "
        "replace(column_default, :prefix, '') FROM information_schema.columns "
        "WHERE table_schema = :schema AND table_name <> 'alembic_version' ORDER BY 1, 3"
    )
    return [tuple(one) for one in connection.execute(sql, {"schema": schema, "prefix": f"{schema}."})]


def _constraints(connection: Connection, schema: str) -> list[tuple[object, ...]]:
    sql = text(
        "SELECT t.relname, c.contype, pg_get_constraintdef(c.oid) FROM pg_constraint c "
        "JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace "
        "WHERE n.nspname = :schema AND t.relname <> 'alembic_version' ORDER BY 1, 2, 3"
    )
    return [tuple(one) for one in connection.execute(sql, {"schema": schema})]


def test_program_needs_the_version_that_its_migrations_end_with() -> None:
    config = Config()
    config.set_main_option("script_location", str(resource("alembic")))
    assert ScriptDirectory.from_config(config).get_heads() == [VERSION]


def test_fresh_register_has_one_entry_and_one_signed_checkpoint(work: Work) -> None:
    assert [entry["kind"] for entry in work.entries()] == ["genesis"]
    assert work.ask("SELECT size FROM audit_checkpoint") == [(1,)]
    assert work.entries()[0]["drill"] is True
    assert work.entries()[0]["origin"] == work.context.installation.origin


def test_init_repeated_changes_nothing(work: Work) -> None:
    work.take([row("message-1", "2026-08-01 09:00:00")])
    before = work.dump()
    again = set_up(work.office.settings(), NOW, drill=True)
    assert again == work.context.installation
    assert work.dump() == before


def test_init_does_not_turn_a_register_into_a_drill(database_url: str, tmp_path: Path) -> None:
    office = Office(tmp_path, database_url).found(drill=False)
    with pytest.raises(UsageError, match="is not a drill and cannot become one"):
        set_up(office.settings(), NOW, drill=True)
    assert set_up(office.settings(), NOW, drill=False).drill is False


def test_init_leaves_a_drill_a_drill(office: Office) -> None:
    assert set_up(office.settings(), NOW, drill=False).drill is True


def test_missing_sqlite_file_names_the_command_and_is_not_made(tmp_path: Path) -> None:
    office = Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}")
    with pytest.raises(SchemaError, match="retention init") as raised:
        open_context(office.settings())
    assert raised.value.exit_code == Exit.NO_DATABASE
    assert not (tmp_path / "register.db").exists()


def test_database_without_a_register_names_the_command(database_url: str, tmp_path: Path) -> None:
    office = Office(tmp_path, database_url)
    open_database(database_url, create=True).close()
    if database_url.startswith("sqlite"):
        (tmp_path / "register.db").touch()
    with pytest.raises(SchemaError, match="no register yet; make it with: retention init"):
        open_context(office.settings())


@pytest.mark.parametrize(
    ("found", "said"), [("0000", "bring it up to date with: retention init"), ("9999", "install the newer program")]
)
def test_register_of_another_version_names_what_to_do(work: Work, found: str, said: str) -> None:
    work.tell("UPDATE alembic_version SET version_num = :found", found=found)
    with pytest.raises(SchemaError, match=said) as raised:
        work.office.open()
    assert raised.value.exit_code == Exit.NO_DATABASE
    work.tell("UPDATE alembic_version SET version_num = :found", found=VERSION)


def test_register_whose_set_up_was_not_finished_names_the_command(work: Work) -> None:
    kept = work.ask("SELECT id, origin, drill, created_at FROM installation")[0]
    work.tell("DELETE FROM installation")
    with pytest.raises(SchemaError, match="not set up to its end; do it with: retention init"):
        work.office.open()
    work.tell(
        "INSERT INTO installation VALUES (:id, :origin, :drill, :at)",
        **dict(zip(("id", "origin", "drill", "at"), kept, strict=True)),
    )


def test_used_keys_of_another_database_are_refused(work: Work, tmp_path: Path) -> None:
    work.take([row("message-1", "2026-08-01 09:00:00")])
    work.office.url = f"sqlite:///{tmp_path / 'another.db'}"
    work.office.configure()
    with pytest.raises(KeyFileError, match="holds the keys of another database"):
        set_up(work.office.settings(), NOW, drill=True)


def test_keys_of_a_drill_do_not_serve_a_register(office: Office, tmp_path: Path) -> None:
    office.url = f"sqlite:///{tmp_path / 'another.db'}"
    office.configure()
    with pytest.raises(KeyFileError, match="holds the keys of another database"):
        set_up(office.settings(), NOW, drill=False)


def test_signing_key_of_another_register_is_refused(work: Work, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Office(other, f"sqlite:///{other / 'register.db'}").found()
    (tmp_path / "var" / "keys").rename(tmp_path / "own-keys")
    (other / "var" / "keys").rename(tmp_path / "var" / "keys")
    work.reopen()
    with pytest.raises(KeyFileError, match="belongs to another log"):
        work.ingest()
    (tmp_path / "var" / "keys").rename(tmp_path / "strange-keys")
    (tmp_path / "own-keys").rename(tmp_path / "var" / "keys")


def test_register_without_its_keys_is_not_given_new_ones(work: Work, tmp_path: Path) -> None:
    (tmp_path / "var" / "keys").rename(tmp_path / "own-keys")
    with pytest.raises(KeyFileError, match="keys"):
        set_up(work.office.settings(), NOW, drill=True)
    assert not (tmp_path / "var" / "keys").exists()
    (tmp_path / "own-keys").rename(tmp_path / "var" / "keys")


def test_sqlite_counts_nothing_that_outlives_its_row(sqlite_work: Work) -> None:
    sqlite_work.take([row("message-1", "2026-08-01 09:00:00")])
    sqlite_work.run()
    names = {name for (name,) in sqlite_work.ask("SELECT name FROM sqlite_master")}
    assert "sqlite_sequence" not in names
    [(sql,)] = sqlite_work.ask("SELECT sql FROM sqlite_master WHERE name = 'message'")
    assert sql.rstrip().endswith("WITHOUT ROWID")


def test_sqlite_erases_what_it_deletes_and_syncs_what_it_writes(sqlite_work: Work) -> None:
    asked = {name: sqlite_work.ask(f"PRAGMA {name}") for name in ("secure_delete", "journal_mode", "synchronous")}
    assert asked == {"secure_delete": [(1,)], "journal_mode": [("wal",)], "synchronous": [(2,)]}


def test_message_table_has_one_index_and_no_foreign_key(work: Work) -> None:
    with work.context.database.read() as connection:
        found = inspect(connection)
        assert found.get_pk_constraint("message")["constrained_columns"] == ["received_at", "message_key"]
        assert found.get_indexes("message") == []
        assert found.get_unique_constraints("message") == []
        assert not any(found.get_foreign_keys(table) for table in found.get_table_names())
