import errno
import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from fake_distribution import forget_modules, make_distribution

from clinicadl_trust import __version__
from clinicadl_trust.cli import help_cache
from clinicadl_trust.cli.failures import explain
from clinicadl_trust.cli.main import HELP, cli
from clinicadl_trust.plugins import available, find

HEAVY = {"torch", "clinicadl", "monai", "torchio", "pandas", "numpy", "scipy"}

COMMANDS = """
import click, errno, sys, time
from clinicadl_trust.exceptions import CohortError

@click.command("fake-fail", short_help="Fail in a chosen way.")
@click.argument("how")
def fail(how):
    if how == "trust":
        raise CohortError("No column 'site'.")
    if how == "bug":
        raise KeyError("oops")
    if how == "keyboard":
        raise KeyboardInterrupt
    if how == "truncated":
        raise EOFError("Compressed file ended")
    if how == "print":
        for n in range(100000):
            print("line", n)
    if how == "sleep":
        print("ready", flush=True)
        time.sleep(60)
    raise OSError(getattr(errno, how), "The system says no", "some/path")

@click.command("fake-log")
def log():
    import logging
    for name in ("clinicadl_trust.x", "clinicadl.y", "elsewhere"):
        logger = logging.getLogger(name)
        logger.debug("debug of %s", name)
        logger.info("info of %s", name)
        logger.warning("warning of %s", name)
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep the cache of help lines of whoever runs the tests out of it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    yield site
    forget_modules(site)


@pytest.fixture
def lab(site):
    entries = {"fake-fail": "fake_commands:fail", "fake-log": "fake_commands:log"}
    modules = {"fake_commands": COMMANDS}
    return make_distribution(site, "fake-lab", {"commands": entries}, modules)


def run(*args):
    return CliRunner().invoke(cli, args, prog_name="clinicadl")


def python(*args, **options):
    done = subprocess.run(
        [sys.executable, *args], capture_output=True, text=True, check=False, **options
    )
    return done


def loaded_after(program):
    done = python("-c", f"{program}\nimport sys; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_help_shows_every_command_of_ours():
    result = run("--help")
    assert result.exit_code == 0
    for name, text in HELP.items():
        assert f"  {name} " in result.output and text in result.output
    ours = {
        name
        for name, plugins in available("commands").items()
        if plugins[0].distribution == "clinicadl-trust"
    }
    assert ours == set(HELP)
    assert run("-h").output == result.output


def test_help_imports_nothing_heavy():
    program = (
        "from clinicadl_trust.cli.main import cli\n"
        "cli(['--help'], standalone_mode=False)"
    )
    assert not HEAVY & loaded_after(program)
    assert not HEAVY & loaded_after("import clinicadl_trust")


def processor_time_of_children():
    times = os.times()
    return times.children_user + times.children_system


def test_help_takes_less_than_half_a_second():
    # Of the processor: how long it waits for one is not its fault.
    durations = []
    for _ in range(3):
        start = processor_time_of_children()
        assert python("-m", "clinicadl_trust", "--help").returncode == 0
        durations.append(processor_time_of_children() - start)
    assert min(durations) < 0.5


def test_importing_the_package_costs_less_than_a_tenth_of_a_second():
    program = (
        "from time import process_time as now; start = now()\n"
        "import clinicadl_trust; print(now() - start)"
    )
    assert min(float(python("-c", program).stdout) for _ in range(3)) < 0.1


def test_the_help_of_every_command_is_shown_without_torch():
    program = """
import json, sys, click
from click.testing import CliRunner
from clinicadl_trust.cli.main import HELP, cli
failed = []
def visit(path, command):
    result = CliRunner().invoke(cli, [*path, "--help"])
    heavy = [m for m in ("torch", "clinicadl", "monai") if m in sys.modules]
    if result.exit_code or heavy or "Usage:" not in result.output:
        failed.append([path, result.exit_code, heavy, result.output])
    for name, below in getattr(command, "commands", {}).items():
        visit([*path, name], below)
for name in HELP:
    visit([name], cli.get_command(click.Context(cli), name))
print(json.dumps(failed))
"""
    done = python("-c", program)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_options_are_kebab_case_and_explained():
    wrong = []

    def visit(path, command):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                spelled = [*parameter.opts, *parameter.secondary_opts]
                if any("_" in opt or opt != opt.lower() for opt in spelled):
                    wrong.append((path, spelled))
                if not parameter.hidden and not parameter.help:
                    wrong.append((path, "no help", spelled))
        for name, below in getattr(command, "commands", {}).items():
            visit([*path, name], below)

    for name in HELP:
        visit([name], cli.get_command(click.Context(cli), name))
    assert wrong == []


@pytest.mark.parametrize("start", [["-m", "clinicadl_trust"], None])
def test_the_permanent_name_is_the_same_group(start):
    if start is None:
        script = Path(sys.executable).with_name("clinicadl-trust")
        if not script.is_file():
            pytest.skip("the scripts are installed elsewhere")
        shown = subprocess.run(
            [str(script), "--help"], capture_output=True, text=True, check=True
        ).stdout
    else:
        shown = python(*start, "--help").stdout
    assert shown.startswith("Usage: clinicadl-trust [OPTIONS] COMMAND")
    assert shown.splitlines()[1:] == run("--help").output.splitlines()[1:]


def test_the_version():
    assert run("--version").output == f"clinicadl-trust, version {__version__}\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["splitt"], "No such command 'splitt'. Did you mean 'split'?"),
        (["plugins", "lost"], "No such command 'lost'."),
        (["--nonsense"], "No such option"),
        (["plugins", "list", "--kind", "loss"], "'loss' is not one of"),
        (["plugins", "new", "a", "b"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_exits_with_2(args, message):
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.output and "Traceback" not in result.output


def test_an_explained_failure_exits_with_1_and_one_message(lab):
    result = run("fake-fail", "trust")
    assert result.exit_code == 1
    assert result.output == "Error: No column 'site'.\n"


@pytest.mark.parametrize(
    "args",
    [
        ["--debug", "fake-fail", "trust"],
        ["fake-fail", "--debug", "trust"],
        ["fake-fail", "trust", "--debug"],
    ],
)
def test_debug_shows_the_traceback_wherever_it_stands(lab, args):
    result = run(*args)
    assert result.exit_code == 1
    assert "Traceback" in result.output and "raise CohortError" in result.output
    assert result.output.endswith("Error: No column 'site'.\n")


def test_debug_after_two_hyphens_is_an_argument(lab):
    result = run("fake-fail", "--", "--debug")
    assert "Traceback" in result.output  # errno has no '--debug': a bug of the command
    assert "AttributeError" in result.output


def test_a_bug_keeps_its_traceback_and_says_whom_to_tell(lab):
    result = run("fake-fail", "bug")
    assert result.exit_code == 1
    assert "Traceback" in result.output and "KeyError: 'oops'" in result.output
    assert "a bug in fake-lab, not a mistake of yours" in result.output
    # An EOFError is no end of input here: click alone would say "Aborted!".
    assert "Compressed file ended" in run("fake-fail", "truncated").output


@pytest.mark.parametrize(
    ("how", "remedy"),
    [
        ("ENOSPC", "The disk is full: free some space"),
        ("EACCES", "Ask for the right to use it"),
        ("EROFS", "cannot be written to: choose another place"),
        ("ENOENT", "Check the path"),
        ("EEXIST", "Choose another name"),
        ("ENOTDIR", "A file stands where a folder is needed"),
    ],
)
def test_an_error_of_the_disk_names_the_path_and_a_remedy(lab, how, remedy):
    result = run("fake-fail", how)
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert result.output.startswith("Error: The system says no: 'some/path'. ")
    assert remedy in result.output


def test_what_is_explained_and_what_is_a_bug():
    assert "batch" in explain(MemoryError())
    assert explain(OSError(errno.ENOSPC, "No space left on device")).startswith(
        "No space left on device. The disk is full"
    )
    for number, remedy in (
        (errno.EFBIG, "ulimit -f"),
        (errno.ENOTEMPTY, "remove what is there"),
    ):
        said = explain(OSError(number, os.strerror(number), "maps/x"))
        assert "'maps/x'. " in said and remedy in said
    assert explain(OSError("without a number")) is None
    assert explain(ValueError("x")) is None


def test_a_full_disk_is_told(lab, tmp_path):
    if not os.path.exists("/dev/full"):  # noqa: PTH110 - a device
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "clinicadl_trust", "fake-fail", "print"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "The disk is full" in done.stderr


def test_an_interruption_exits_with_1_and_a_message(lab):
    result = run("fake-fail", "keyboard")
    assert result.exit_code == 1
    assert result.output.strip().startswith("Error: Interrupted.")


def test_ctrl_c_leaves_no_traceback(lab):
    process = subprocess.Popen(
        [sys.executable, "-m", "clinicadl_trust", "fake-fail", "sleep"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Interrupted." in errors and "Traceback" not in errors


def test_a_closed_pipe_is_no_error(lab):
    process = subprocess.Popen(
        [sys.executable, "-m", "clinicadl_trust", "fake-fail", "print"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "line 0\n"
    process.stdout.close()
    errors = process.stderr.read()
    process.wait(timeout=120)
    assert errors == ""


@pytest.mark.parametrize(
    ("args", "shown", "hidden"),
    [
        ([], ["warning"], ["info", "debug"]),
        (["-v"], ["warning", "info"], ["debug"]),
        (["-vv"], ["warning", "info", "debug"], []),
    ],
)
def test_verbosity_is_of_ours_and_of_clinicadl(lab, args, shown, hidden):
    levels = {n: logging.getLogger(n).level for n in ("clinicadl_trust", "clinicadl")}
    try:
        output = run(*args, "fake-log").output
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    for level in shown:
        assert f"{level.capitalize()}: {level} of clinicadl_trust.x\n" in output
        assert f"{level.capitalize()}: {level} of clinicadl.y\n" in output
    for level in hidden:
        assert f"{level} of" not in output
    assert "info of elsewhere" not in output
    assert "Warning: warning of elsewhere\n" in output


def test_a_third_partys_command_is_listed_before_it_is_imported(lab):
    assert "fake-fail (fake-lab 1.0)" in " ".join(run("--help").output.split())
    assert "fake_commands" not in sys.modules
    run("fake-fail", "trust")
    assert "fake-fail Fail in a chosen way." in " ".join(run("--help").output.split())


def test_a_help_line_is_forgotten_with_its_version(lab):
    plugin = find("commands", "fake-fail")
    help_cache.remember(plugin, "Of now.")
    assert help_cache.recall(plugin) == "Of now."
    newer = type(plugin)(**{**vars(plugin), "version": "2.0"})
    assert help_cache.recall(newer) is None


def test_a_cache_that_cannot_be_used_is_no_error(lab, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert run("fake-fail", "trust").exit_code == 1
    assert "(fake-lab 1.0)" in run("--help").output
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    run("fake-fail", "trust")
    cache = next((tmp_path / "config").rglob("*.json"))
    for broken in ("{", "[]"):
        cache.write_text(broken)
        assert "(fake-lab 1.0)" in run("--help").output


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import fake_absent", "of fake-broken 1.0 cannot be imported"),
        ("def broken(): pass", "no click command but function"),
    ],
)
def test_a_broken_command_harms_no_other(site, source, message):
    entries = {"commands": {"fake-broken": "fake_broken:broken"}}
    make_distribution(site, "fake-broken", entries, {"fake_broken": source})
    assert "fake-broken  (fake-broken 1.0)" in run("--help").output
    assert run("plugins", "--help").exit_code == 0
    result = run("fake-broken")
    assert result.exit_code == 1
    assert message in result.output and "Traceback" not in result.output
    assert "Traceback" in run("fake-broken", "--debug").output


def test_a_command_registered_twice_is_shown_and_refused(site):
    for lab in ("fake-a", "fake-b"):
        make_distribution(site, lab, {"commands": {"fake-twice": "fake_x:x"}})
    shown = run("--help").output
    assert "(registered more than once: " in shown
    assert "fake-a" in shown and "fake-b" in shown
    result = run("fake-twice")
    assert result.exit_code == 1 and "registered 2 times" in result.output


def complete(words, number, variable="_CLINICADL_COMPLETE", program="clinicadl"):
    """Ask for completions as bash does."""
    environment = {
        **os.environ,
        variable: "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(number),
    }
    code = f"from clinicadl_trust.cli.main import cli; cli(prog_name={program!r})"
    done = python("-c", code, env=environment)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_the_shell_completes_commands_and_options(site):
    make_distribution(
        site,
        "fake-broken",
        {"commands": {"fake-broken": "fake_broken:x"}},
        {"fake_broken": "raise RuntimeError('imported')"},
    )
    names = complete("clinicadl ", 1)
    assert set(HELP) < set(names) and "fake-broken" in names
    assert complete("clinicadl pl", 1) == ["plugins"]
    assert complete("clinicadl plugins li", 2) == ["list"]
    assert "--kind" in complete("clinicadl plugins list --k", 3)
    assert set(complete("clinicadl --ver", 1)) == {"--verbose", "--version"}
    complete("clinicadl fake-broken ", 2)  # says nothing on standard error
    permanent = complete(
        "clinicadl-trust pl", 1, "_CLINICADL_TRUST_COMPLETE", "clinicadl-trust"
    )
    assert permanent == ["plugins"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_is_given_a_script(shell):
    environment = {**os.environ, "_CLINICADL_COMPLETE": f"{shell}_source"}
    code = "from clinicadl_trust.cli.main import cli; cli(prog_name='clinicadl')"
    script = python("-c", code, env=environment).stdout
    assert "_CLINICADL_COMPLETE" in script and f"{shell}_complete" in script
