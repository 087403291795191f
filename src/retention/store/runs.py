"""Runs, plans, batches and schedule versions: what was decided and how far it was carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select, text, update

from retention.errors import UsageError
from retention.model import to_epoch
from retention.policy.plan import Plan, load_plan
from retention.store.tables import plan, purge_batch, remark, run, schedule_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Literal

    from sqlalchemy import Connection

    from retention.policy.schedule import Schedule


class Run(NamedTuple):
    """One run of the purge. Instants are epoch seconds UTC."""

    id: int
    state: str
    plan_digest: str
    schedule_digest: str
    started_at: int
    finished_at: int | None
    disposed: int
    batches: int
    skipped_held: int | None
    skipped_gone: int | None
    due_after: int | None
    residue: int | None
    checkpoint_size: int | None


_SHORTEST = len("sha256:") + 8
_COLUMNS = tuple(run.c[name] for name in Run._fields)


def save_plan(connection: Connection, made: Plan) -> None:
    """Keep a plan so that it can be named by its digest; the same plan made again is kept once."""
    sql = text("INSERT INTO plan (digest, body, made_at) VALUES (:digest, :body, :made_at) ON CONFLICT DO NOTHING")
    connection.execute(sql, {"digest": made.digest, "body": made.canonical(), "made_at": made.now})


def find_plan(connection: Connection, digest: str) -> Plan:
    """Give the unused plan of a digest; its first characters are enough where they fit one plan only.

    Raises:
        UsageError: there is no such plan, several fit, it was used, or fewer than 8 hex digits were given.

    """
    wanted = digest if digest.startswith("sha256:") else f"sha256:{digest}"
    if len(wanted) < _SHORTEST:  # an empty variable of a script must not choose the one plan that there is
        msg = "name the plan by its digest, or by 8 digits of it at least; see: retention purge --dry-run"
        raise UsageError(msg)
    query = select(plan.c.body, plan.c.run_id).where(func.substr(plan.c.digest, 1, len(wanted)) == wanted)
    found = connection.execute(query.limit(2)).all()
    if not found:
        msg = "no plan has this digest; make one with: retention purge --dry-run"
        raise UsageError(msg)
    if len(found) > 1:
        msg = "several plans begin with this digest; give more of it"
        raise UsageError(msg)
    if found[0].run_id is not None:
        msg = f"this plan was used by run {found[0].run_id}; make a new one with: retention purge --dry-run"
        raise UsageError(msg)
    return load_plan(found[0].body)


def start(connection: Connection, made: Plan, *, at: datetime, token: int, belts: list[str], reason: str | None) -> int:
    """Record that a run carries out a plan, which is used up by that; give the run's number.

    Raises:
        UsageError: another run has used the plan.

    """
    number = int(connection.execute(text("SELECT coalesce(max(id), 0) + 1 FROM run")).scalar_one())
    used = connection.execute(
        update(plan).where(plan.c.digest == made.digest, plan.c.run_id.is_(None)).values(run_id=number)
    )
    if used.rowcount != 1:
        msg = "this plan was used by another run; make a new one with: retention purge --dry-run"
        raise UsageError(msg)
    connection.execute(
        insert(run).values(
            id=number,
            state="running",
            plan_digest=made.digest,
            schedule_digest=made.schedule_digest,
            started_at=to_epoch(at),
            token=token,
            disposed=0,
            batches=0,
            belts_passed=" ".join(belts),
            reason_commitment=reason,
        )
    )
    return number


def give_plan_back(connection: Connection, run_id: int) -> None:
    """Let the plan of a run that disposed of nothing be carried out by another."""
    connection.execute(update(plan).where(plan.c.run_id == run_id).values(run_id=None))


def next_batch(connection: Connection) -> int:
    """Give the number of the next batch; only whoever holds the head of the log may ask."""
    return int(connection.execute(select(func.coalesce(func.max(purge_batch.c.batch), 0) + 1)).scalar_one())


def add_batch(connection: Connection, run_id: int, batch: int, first_index: int, disposed: int) -> None:
    """Record a batch and the run's progress, in the batch's own transaction."""
    values = {"batch": batch, "run_id": run_id, "first_index": first_index, "disposed": disposed}
    connection.execute(insert(purge_batch).values(values))
    connection.execute(
        update(run).where(run.c.id == run_id).values(disposed=run.c.disposed + disposed, batches=run.c.batches + 1)
    )


def run_of(connection: Connection, batch: int) -> int | None:
    """Give the run that a batch belongs to."""
    return connection.execute(select(purge_batch.c.run_id).where(purge_batch.c.batch == batch)).scalar()


def note(connection: Connection, run_id: int, **values: int) -> None:
    """Record figures of a run: ``skipped_held``, ``skipped_gone``, ``due_after``, ``residue``."""
    connection.execute(update(run).where(run.c.id == run_id).values(**values))


def note_checkpoint(connection: Connection, size: int) -> None:
    """Record the checkpoint that first covered every finished run which has none yet."""
    uncovered = run.c.checkpoint_size.is_(None) & (run.c.state != "running")
    connection.execute(update(run).where(uncovered).values(checkpoint_size=size))


def finish(
    connection: Connection, run_id: int, state: Literal["done", "stopped", "failed", "interrupted"], at: datetime
) -> None:
    """Record how a run ended."""
    connection.execute(update(run).where(run.c.id == run_id).values(state=state, finished_at=to_epoch(at)))


def running(connection: Connection) -> list[Run]:
    """Give the runs that never said how they ended; there is one at most unless something was killed."""
    query = select(*_COLUMNS).where(run.c.state == "running").order_by(run.c.id)
    return [Run(*row) for row in connection.execute(query)]


def get(connection: Connection, run_id: int) -> Run:
    """Give one run."""
    return Run(*connection.execute(select(*_COLUMNS).where(run.c.id == run_id)).one())


def planned_at(connection: Connection, found: Run) -> int:
    """Give the time (epoch seconds) at which the plan of a run was made."""
    query = select(plan.c.made_at).where(plan.c.digest == found.plan_digest)
    return int(connection.execute(query).scalar_one())


def last(connection: Connection, state: str | None = None) -> Run | None:
    """Give the latest run, or the latest in a state."""
    query = select(*_COLUMNS).order_by(run.c.id.desc()).limit(1)
    if state is not None:
        query = query.where(run.c.state == state)
    row = connection.execute(query).one_or_none()
    return None if row is None else Run(*row)


def carried_out(connection: Connection) -> Iterator[tuple[Run, Plan]]:
    """Give the runs with their plans, the latest first; each plan is read when it is asked for."""
    query = select(run.c.id).order_by(run.c.id.desc())
    for number in connection.execute(query).scalars().all():
        found = get(connection, number)
        body = connection.execute(select(plan.c.body).where(plan.c.digest == found.plan_digest)).scalar_one()
        yield found, load_plan(body)


def disposed_since(connection: Connection, at: datetime) -> int:
    """Count what the runs disposed of that began at an instant or later."""
    query = select(func.coalesce(func.sum(run.c.disposed), 0)).where(run.c.started_at >= to_epoch(at))
    return int(connection.execute(query).scalar_one())


def disposed_since_erasure(connection: Connection) -> int:
    """Count what was disposed of in runs since the last one that came to its end, and so to its erasure."""
    ended = select(func.coalesce(func.max(run.c.id), 0)).where(run.c.state == "done").scalar_subquery()
    return int(
        connection.execute(select(func.coalesce(func.sum(run.c.disposed), 0)).where(run.c.id > ended)).scalar_one()
    )


def schedule_text(connection: Connection, digest: str) -> str | None:
    """Give the canonical form of a schedule that was in force once."""
    query = select(schedule_version.c.canonical).where(schedule_version.c.digest == digest)
    return connection.execute(query).scalar()


def latest_schedule_digest(connection: Connection) -> str | None:
    """Give the digest of the schedule that came into force last."""
    query = select(schedule_version.c.digest).order_by(schedule_version.c.adopted_at.desc(), schedule_version.c.digest)
    return connection.execute(query.limit(1)).scalar()


def use_schedule(connection: Connection, schedule: Schedule, at: datetime) -> None:
    """Record that a schedule is in force from an instant on; it is the latest, whatever the clock said before."""
    last = connection.execute(select(func.max(schedule_version.c.adopted_at))).scalar()
    adopted_at = to_epoch(at) if last is None else max(to_epoch(at), last + 1)
    known = update(schedule_version).where(schedule_version.c.digest == schedule.digest)
    if not connection.execute(known.values(adopted_at=adopted_at)).rowcount:
        values = {"digest": schedule.digest, "canonical": schedule.canonical, "adopted_at": adopted_at}
        connection.execute(insert(schedule_version).values(values))


def keep_remark(connection: Connection, commitment: str, salt: str, body: str) -> None:
    """Keep an operator's free text beside the log, where it can be erased."""
    connection.execute(insert(remark).values(commitment=commitment, salt=salt, body=body))


def salted_remark(connection: Connection, commitment: str) -> tuple[str, str] | None:
    """Give the salt (hex) and the text that a commitment is to, or None where they were erased."""
    found = connection.execute(select(remark.c.salt, remark.c.body).where(remark.c.commitment == commitment)).first()
    return None if found is None else (found[0], found[1])


def remark_of(connection: Connection, commitment: str | None) -> str | None:
    """Give an operator's free text, or None where it was erased."""
    if commitment is None:
        return None
    return connection.execute(select(remark.c.body).where(remark.c.commitment == commitment)).scalar()
