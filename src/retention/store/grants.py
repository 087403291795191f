"""Two roles on PostgreSQL: one that owns the tables, one that works with them and cannot change the audit log.

What is printed is run by a superuser, before the first ``init`` and after every one: the first time it makes the roles,
the second time it grants. The service owns the tables that hold identifiers, because only an owner may VACUUM a table
on every version; the owner role is a member of the service role, so that later migrations can change these as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import text

from retention.errors import UsageError
from retention.store.tables import (
    message,
    redated,
    upstream_call,
    upstream_item,
    webhook_event,
    webhook_seen,
)
from retention.store.tables_service import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# What the service may do beside reading. Nothing here lets it change an entry, a tile or a note.
_AUDIT = {
    "audit_entry": "INSERT",
    "audit_tile": "INSERT",
    "audit_anchor": "INSERT",
    "audit_checkpoint": "INSERT, UPDATE (anchored_at)",
    "audit_head": "UPDATE (size, root, edge)",
    "audit_rotation": "INSERT, UPDATE (previous_condemned_at, previous_destroyed_at)",
}
_ADDED = {"backup": "INSERT"}
"""What says where entries stand: who could take a row away could have a record say less than the log."""
_SETTLED = ("installation", "alembic_version")
_VACUUMED = tuple(table.name for table in (message, redated, upstream_item, upstream_call, webhook_event, webhook_seen))

_SCRIPT = """-- Run this as a superuser in the register's own database: once before "retention init", so that the roles
-- are there, and once after every "retention init", so that the tables are granted. It can be repeated.
-- {owner} runs "retention init" and nothing else; {service} is the user of [database] url for everything else.
-- Give both a way to log in, for example: ALTER ROLE {service} PASSWORD '...'
DO $$ BEGIN
  IF to_regrole('{owner}') IS NULL THEN CREATE ROLE {owner} LOGIN; END IF;
  IF to_regrole('{service}') IS NULL THEN CREATE ROLE {service} LOGIN; END IF;
END $$;
GRANT {service} TO {owner};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
GRANT USAGE ON SCHEMA public TO {service};
REVOKE CREATE ON SCHEMA public FROM PUBLIC, {service};
DO $$ BEGIN
  EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO {owner}, {service}', current_database());
  IF to_regclass('public.alembic_version') IS NULL THEN
    RAISE NOTICE 'there are no tables yet: run "retention init" as {owner}, then this again';
    RETURN;
  END IF;
{grants}
END $$;
"""


def script(owner: str, service: str) -> str:
    """Give the SQL that makes the two roles and grants what each needs.

    Raises:
        UsageError: the names are the same, or one is not a plain lower-case name.

    """
    if owner == service or not _ROLE.fullmatch(owner) or not _ROLE.fullmatch(service):
        msg = "name two roles, each by small letters, digits and underscores"
        raise UsageError(msg)
    names = [*sorted({*metadata.tables, "alembic_version"} - {*_VACUUMED}), *sorted(_AUDIT)]
    lines = []
    for name in names:
        lines.append(f'ALTER TABLE public."{name}" OWNER TO {owner};')
        lines.append(f'REVOKE ALL ON public."{name}" FROM PUBLIC, {service};')
        lines.append(f'GRANT SELECT{_more(name)} ON public."{name}" TO {service};')
    lines += [f'ALTER TABLE public."{name}" OWNER TO {service};' for name in _VACUUMED]
    lines.append(f"ALTER FUNCTION public.audit_refuse() OWNER TO {owner};")
    lines.append(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {service};")
    return _SCRIPT.format(owner=owner, service=service, grants="\n".join(f"  {line}" for line in lines))


def _more(name: str) -> str:
    if name in _SETTLED:
        return ""
    return f", {(_AUDIT | _ADDED).get(name, 'INSERT, UPDATE, DELETE')}"


_POWERS = """
SELECT coalesce(bool_or(r.rolsuper), false) OR coalesce(bool_or(pg_has_role(current_user, c.relowner, 'USAGE')), false)
  OR coalesce(bool_or(has_table_privilege(c.oid, 'DELETE, TRUNCATE')), false)
  OR coalesce(bool_or(has_any_column_privilege(c.oid, 'UPDATE')), false)
FROM pg_class c, pg_roles r
WHERE c.oid IN ('audit_entry'::regclass, 'audit_tile'::regclass) AND r.rolname = current_user
"""


def can_alter_log(connection: Connection) -> bool:
    """Tell whether whoever is connected could change what the audit log holds, past its triggers too."""
    return connection.dialect.name == "sqlite" or bool(connection.execute(text(_POWERS)).scalar_one())
