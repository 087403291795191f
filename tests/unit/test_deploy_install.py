"""The files of a service, put where they belong below a folder and taken away again."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from retention.acts import deploying
from retention.errors import RetentionError, UsageError
from retention.resources import resource
from retention.settings import load_settings
from tests.acceptance.desk import Answer, ask

UNIT = "etc/systemd/system/retention-run.service"


def install(prefix: Path, *more: str, manner: str = "--systemd") -> Answer:
    return ask("deploy", "install", manner, "--prefix", str(prefix), *more)


def uninstall(prefix: Path, *more: str) -> Answer:
    return ask("deploy", "uninstall", "--prefix", str(prefix), *more)


def files_below(prefix: Path) -> dict[str, bytes]:
    return {str(path.relative_to(prefix)): path.read_bytes() for path in prefix.rglob("*") if path.is_file()}


def site_at(
    prefix: str = "/", program: str = "/opt/retention/bin/retention", user: str = "retention"
) -> deploying.Site:
    config = Path(prefix) / "etc/retention/retention.toml"
    return deploying.Site(Path(prefix), Path(program), config, user, user)


def test_everything_of_a_service_lies_below_the_prefix(tmp_path: Path) -> None:
    assert install(tmp_path).code == 0
    found = files_below(tmp_path)
    assert {Path(name).name for name in found} >= {
        *("retention.service", "retention-run.service", "retention-run.timer", "retention-alarm@.service"),
        *("alarm", "alerts.yml", "retention.toml", "deployed.json", "retention.1", "retention-hold-place.1"),
        *("_retention", "retention.fish"),
    }
    assert "usr/local/share/bash-completion/completions/retention" in found
    assert "etc/cron.d/retention" not in found
    assert stat.S_IMODE((tmp_path / "usr/local/libexec/retention/alarm").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / UNIT).stat().st_mode) == 0o644


def test_paths_and_users_are_those_of_the_place(tmp_path: Path) -> None:
    assert install(tmp_path, "--user", "keeper").code == 0
    unit = (tmp_path / UNIT).read_text(encoding="utf-8")
    assert f"retention run --config {tmp_path}/etc/retention/retention.toml\n" in unit
    assert "\nUser=keeper\n" in unit
    assert f"\nWorkingDirectory={tmp_path}/var/lib/retention\n" in unit
    assert "/opt/retention" not in unit
    assert "StateDirectory=" not in unit, "systemd knows only its own"
    alarm = (tmp_path / "etc/systemd/system/retention-alarm@.service").read_text(encoding="utf-8")
    assert f"ExecStart={tmp_path}/usr/local/libexec/retention/alarm %i\n" in alarm
    assert install(tmp_path, "--user", "keeper", manner="--cron").code == 0
    cron = (tmp_path / "etc/cron.d/retention").read_text(encoding="utf-8")
    assert f"\n17 4 * * * keeper {tmp_path}/usr/local/libexec/retention/cron-run --config" in cron


def test_the_program_that_is_written_down_is_the_one_that_wrote(tmp_path: Path) -> None:
    install(tmp_path)
    line = next(line for line in (tmp_path / UNIT).read_text().splitlines() if line.startswith("ExecStart="))
    assert os.access(line.removeprefix("ExecStart=").split()[0], os.X_OK)


def test_the_shipped_files_stay_as_they_are_on_the_standard_place() -> None:
    for file in deploying.artefacts(site_at(), "systemd"):
        name = file.path.replace("etc/systemd/system", "systemd").replace("usr/local/libexec/retention", "libexec")
        name = name.replace("etc/retention/alerts.yml", "alerts/retention.yml")
        assert file.content == (resource("deploy") / name).read_bytes()


def test_the_example_names_the_folders_of_the_place_and_can_be_loaded(tmp_path: Path) -> None:
    install(tmp_path)
    settings = load_settings(tmp_path / "etc/retention/retention.toml")
    assert settings.database.url == f"sqlite:///{tmp_path}/var/lib/retention/register.db"
    assert settings.paths.state == tmp_path / "var/lib/retention"
    assert settings.paths.anchor == tmp_path / "var/lib/retention/anchor/checkpoints.log"
    assert settings.source[0].path == tmp_path / "srv/retention/landing"


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    said = install(tmp_path / "x", "--dry-run")
    assert said.code == 0
    assert not (tmp_path / "x").exists()
    done = install(tmp_path / "x")
    would = [line.removeprefix("would ") for line in said.out.splitlines() if line.startswith("would ")]
    assert would == [line for line in done.out.splitlines() if line.startswith("write ")]
    assert would


def test_a_second_install_changes_nothing(tmp_path: Path) -> None:
    install(tmp_path)
    before = files_below(tmp_path)
    again = install(tmp_path)
    assert again.code == 0
    assert {line.split()[0] for line in again.out.splitlines()} == {"keep", "NOTE:", "Next:"}
    assert files_below(tmp_path) == before


def test_what_an_earlier_version_wrote_is_brought_up_to_date(tmp_path: Path) -> None:
    install(tmp_path)
    install(tmp_path, "--user", "keeper")
    assert "\nUser=keeper\n" in (tmp_path / UNIT).read_text(encoding="utf-8")
    assert not [name for name in files_below(tmp_path) if name.endswith(".new")]


def test_a_file_that_somebody_changed_is_never_overwritten_nor_removed(tmp_path: Path) -> None:
    install(tmp_path)
    unit, beside = tmp_path / UNIT, tmp_path / f"{UNIT}.new"
    ours = unit.read_bytes()
    unit.write_text("# mine\n", encoding="utf-8")
    said = install(tmp_path)
    assert f"write beside  {beside} (somebody changed the file without .new)" in said.out
    assert (unit.read_text(encoding="utf-8"), beside.read_bytes()) == ("# mine\n", ours)
    assert f"keep  {beside}" in install(tmp_path).out
    beside.write_text("# mine too\n", encoding="utf-8")
    assert f"leave  {beside}" in install(tmp_path).out
    beside.write_bytes(ours)
    uninstall(tmp_path)
    assert unit.read_text(encoding="utf-8") == "# mine\n"
    assert not beside.exists(), "that one was ours"


def test_what_was_written_beside_goes_when_the_file_is_ours_again(tmp_path: Path) -> None:
    install(tmp_path)
    unit, beside = tmp_path / UNIT, tmp_path / f"{UNIT}.new"
    unit.write_text("# mine\n", encoding="utf-8")
    install(tmp_path)
    beside.replace(unit)
    beside.write_bytes(unit.read_bytes())
    assert f"remove  {beside}" in install(tmp_path).out
    assert not beside.exists()


def test_folders_can_be_entered_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        install(tmp_path)
    finally:
        os.umask(before)
    made = [path for path in tmp_path.rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o755}
    assert stat.S_IMODE((tmp_path / "etc/retention/retention.toml").stat().st_mode) == 0o644


def test_a_masked_unit_stays_masked(tmp_path: Path) -> None:
    unit = tmp_path / UNIT
    unit.parent.mkdir(parents=True)
    unit.symlink_to(os.devnull)
    assert install(tmp_path).code == 0
    assert unit.is_symlink()
    assert unit.with_name(unit.name + ".new").is_file()


def test_going_over_to_cron_takes_the_units_away(tmp_path: Path) -> None:
    install(tmp_path)
    assert install(tmp_path, manner="--cron").code == 0
    assert not [name for name in files_below(tmp_path) if "systemd" in name]
    assert (tmp_path / "etc/cron.d/retention").is_file()


def test_uninstall_leaves_data_and_configuration_and_no_empty_folder_of_its_own(tmp_path: Path) -> None:
    state = tmp_path / "var/lib/retention"
    state.mkdir(parents=True)
    (state / "register.db").write_bytes(b"kept")
    install(tmp_path)
    said = uninstall(tmp_path, "--dry-run")
    assert "would remove" in said.out
    assert (tmp_path / UNIT).is_file()
    assert uninstall(tmp_path).code == 0
    assert set(files_below(tmp_path)) == {"var/lib/retention/register.db", "etc/retention/retention.toml"}
    assert not (tmp_path / "usr").exists()
    assert uninstall(tmp_path).code == 2, "nothing is known to be ours any more"


def test_uninstall_passes_over_what_has_gone(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / UNIT).unlink()
    assert f"leave  {tmp_path / UNIT} (has gone already)" in uninstall(tmp_path).out


def test_a_configuration_that_is_there_is_used_and_not_touched(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    said = install(tmp_path / "x", "--config", str(mine))
    assert f"NOTE: {mine} is not there yet" in said.out
    assert not mine.exists(), "it is not below the prefix"
    mine.write_text("# mine\n", encoding="utf-8")
    install(tmp_path / "x", "--config", str(mine))
    assert mine.read_text(encoding="utf-8") == "# mine\n"
    assert f"--config {mine}\n" in (tmp_path / "x" / UNIT).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["install --systemd", "install --cron --dry-run", "uninstall"])
def test_only_root_writes_into_the_system(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    answer = ask("deploy", *command.split())
    assert answer.code == 2
    assert "only root can write below /: run this as root, or name a folder of your own with --prefix DIR" in answer.err


def test_it_must_be_said_which_way_it_is_run(tmp_path: Path) -> None:
    answer = ask("deploy", "install", "--prefix", str(tmp_path))
    assert (answer.code, "--systemd or --cron" in answer.err) == (2, True)


@pytest.mark.parametrize("program", ["/home/me/venv/bin/retention", "/root/retention", "/tmp/v/bin/retention"])  # noqa: S108  # names only
def test_a_program_that_the_units_could_not_see_is_refused(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr("sys.executable", "/usr/bin/true")
    assert deploying.check_site(site_at(), "systemd") == []
    with pytest.raises(UsageError, match="ProtectHome= and PrivateTmp= hide"):
        deploying.check_site(site_at(program=program), "systemd")
    assert deploying.check_site(site_at(program=program), "cron") == []
    assert any(program in note for note in deploying.check_site(site_at("/srv/x", program), "systemd"))


@pytest.mark.parametrize(
    "site",
    [
        site_at("/srv/a b"),
        site_at("/srv/%h"),
        site_at(program="/opt/$x/retention"),
        site_at(user="a b"),
        site_at(user=""),
    ],
    ids=["space", "percent", "dollar", "user", "no user"],
)
def test_what_units_and_crontabs_would_read_otherwise_is_refused(site: deploying.Site) -> None:
    with pytest.raises(UsageError):
        deploying.check_site(site, "cron")


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", '{"files": 3, "folders": []}', "\x00"),
        *('{"files": {"/somewhere/else": ""}, "folders": []}', '{"files": {}, "folders": ["/etc"]}'),
    ],
)
def test_a_spoilt_list_of_files_is_told(tmp_path: Path, text: str) -> None:
    listed = tmp_path / "etc/retention/deployed.json"
    listed.parent.mkdir(parents=True)
    listed.write_text(text, encoding="utf-8")
    answer = uninstall(tmp_path)
    assert (answer.code, "not as retention deploy wrote it" in answer.err) == (1, True)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("in the way", encoding="utf-8")
    answer = install(tmp_path)
    assert answer.code == 1
    assert str(tmp_path / "etc") in answer.err
    with pytest.raises(RetentionError):
        deploying.install(site_at(str(tmp_path)), [deploying.Artefact("etc/x", b"")], dry_run=False)


def test_the_list_names_every_file_that_was_written(tmp_path: Path) -> None:
    install(tmp_path)
    listed = json.loads((tmp_path / "etc/retention/deployed.json").read_text(encoding="utf-8"))["files"]
    own = {str(tmp_path / "etc/retention" / name) for name in ("deployed.json", "retention.toml")}
    assert {*listed} == {str(tmp_path / name) for name in files_below(tmp_path)} - own


@pytest.mark.parametrize("link", ["etc", "etc/retention", "etc/systemd", "usr/local/share/man"])
def test_nothing_is_written_nor_removed_through_a_link_that_leads_out(tmp_path: Path, link: str) -> None:
    outside, prefix = tmp_path / "outside", tmp_path / "x"
    install(prefix)
    outside.mkdir()
    (prefix / link).rename(outside / "kept")
    (prefix / link).symlink_to(outside / "kept")
    before = files_below(outside)
    for answer in (install(prefix, "--user", "keeper"), uninstall(prefix)):
        assert (answer.code, "leads out of" in answer.err) == (1, True)
    assert files_below(outside) == before


def test_a_first_install_refuses_such_a_link_before_it_writes_anything(tmp_path: Path) -> None:
    outside, prefix = tmp_path / "outside", tmp_path / "x"
    outside.mkdir()
    prefix.mkdir()
    (prefix / "usr").symlink_to(outside)
    for more in ([], ["--dry-run"]):
        answer = install(prefix, *more)
        assert (answer.code, "leads out of" in answer.err) == (1, True)
    assert [path.name for path in prefix.iterdir()] == ["usr"]
    assert not [*outside.iterdir()]


def test_a_link_that_stays_below_the_prefix_is_somebodys_way_of_doing_it(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "usr/local").mkdir(parents=True)
    (tmp_path / "usr/local/share").symlink_to(tmp_path / "share")
    assert install(tmp_path).code == 0
    assert (tmp_path / "share/man/man1/retention.1").is_file()
    assert uninstall(tmp_path).code == 0
    assert not (tmp_path / "share/man").exists()


@pytest.mark.parametrize("what", ["files", "folders"])
def test_a_line_of_the_list_that_leads_through_a_link_removes_nothing(tmp_path: Path, what: str) -> None:
    outside, prefix = tmp_path / "outside", tmp_path / "x"
    (outside / "empty").mkdir(parents=True)
    (outside / "victim").write_bytes(b"theirs")
    install(prefix)
    (prefix / "way").symlink_to(outside)
    listed = prefix / "etc/retention/deployed.json"
    told = json.loads(listed.read_text(encoding="utf-8"))
    if what == "files":
        told["files"][f"{prefix}/way/victim"] = hashlib.sha256(b"theirs").hexdigest()
    else:
        told["folders"].append(f"{prefix}/way/empty")
    listed.write_text(json.dumps(told), encoding="utf-8")
    answer = uninstall(prefix)
    assert (answer.code, "leads out of" in answer.err) == (1, True)
    assert (outside / "victim").read_bytes() == b"theirs"
    assert (outside / "empty").is_dir()
    assert (prefix / UNIT).is_file()


def test_a_list_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    prefix = tmp_path / "x"
    install(prefix)
    listed = prefix / "etc/retention/deployed.json"
    listed.replace(tmp_path / "elsewhere")
    listed.symlink_to(tmp_path / "elsewhere")
    assert "not as retention deploy wrote it" in uninstall(prefix).err
    assert (prefix / UNIT).is_file()


def test_a_draft_is_never_written_through_what_lies_in_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    victim, unit = tmp_path / "victim", tmp_path / "x" / UNIT
    victim.write_bytes(b"theirs")
    unit.parent.mkdir(parents=True)
    (unit.parent / f".{unit.name}.4711").symlink_to(victim)
    assert install(tmp_path / "x").code == 0
    assert victim.read_bytes() == b"theirs"
    assert unit.is_file()
    assert not unit.is_symlink()


def test_a_prefix_of_which_more_than_one_level_is_made_can_be_used_again(tmp_path: Path) -> None:
    prefix = tmp_path / "a" / "b"
    assert install(prefix).code == 0
    assert install(prefix).code == 0
    assert uninstall(prefix).code == 0
    assert not (prefix / "usr").exists()
