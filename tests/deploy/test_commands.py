"""The command lines of `deploy.serve` and `deploy.automations`."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from collab.base.paths import DataDir
from deploy import automations, serve
from deploy.place import Place


def test_serve_has_its_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Place] = []
    monkeypatch.setattr(serve, "serve", seen.append)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setenv("COLLAB_DATA_DIR", str(tmp_path / "mine"))
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    assert serve.main([]) == 0
    given = ["--data-dir", str(tmp_path), "--port", "4300", "--pool", "p"]
    assert serve.main(given) == 0
    assert [place.data.root for place in seen] == [tmp_path / "mine", tmp_path]
    assert [place.home for place in seen] == [tmp_path / "mine" / "prefect", tmp_path / "prefect"]
    assert [(place.port, place.pool) for place in seen] == [(4200, "collab"), (4300, "p")]
    assert seen[1].served == "http://127.0.0.1:4301"


def test_links_lead_where_the_operator_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = Place(data=DataDir(tmp_path), home=tmp_path, port=4300, pool="p")
    names = ("PREFECT_UI_URL", "COLLAB_SERVE_URL")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    told = place.environment()
    assert [told[name] for name in names] == ["http://127.0.0.1:4300", "http://127.0.0.1:4301"]
    for name in names:
        monkeypatch.setenv(name, f"https://example.org/{name}")
    told = place.environment()
    assert [told[name] for name in names] == [f"https://example.org/{name}" for name in names]


def test_automations_have_their_defaults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(automations, "apply_all", lambda *given: f"{given}")
    assert automations.main([]) == 0
    assert automations.main(["--hours", "1.5", "--heartbeat", "45", "--block", "a/b"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "(None, None, None)",
        "(1.5, 45.0, 'a/b')",
    ]


def test_a_port_that_is_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve.main(["--port", str(port), "--data-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"error: Port {port} is taken. Name another with --port.\n"


def test_a_home_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", "/proc/nowhere")
    monkeypatch.setattr(serve, "refuse_taken", lambda port: None)
    assert serve.main(["--data-dir", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: PREFECT_HOME=/proc/nowhere cannot be written")


def test_a_port_that_a_connection_goes_out_from_is_taken() -> None:
    """No server can use it, though nothing listens there."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = other.getsockname()
        with socket.create_connection(address, source_address=("127.0.0.1", 0)) as out:
            assert not serve.is_free(out.getsockname()[1])
        assert not serve.is_free(address[1])


def test_a_server_that_does_not_answer_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert automations.main([]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: No Prefect server answers at http://127.0.0.1:9/api.")
    assert error.count("\n") == 1


def test_ctrl_c_is_how_serve_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(place: Place) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serve, "serve", interrupted)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    assert serve.main(["--data-dir", str(tmp_path)]) == 0
    assert "Ended." in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_so_are_sigterm_and_the_end_of_the_terminal(
    number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run below `nohup`
    monkeypatch.setattr(serve, "serve", lambda place: os.kill(os.getpid(), number))
    try:
        assert serve.main(["--data-dir", str(tmp_path)]) == 0
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert "Ended." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("main", "tokens"),
    [
        (serve.main, ["--prot", "4300"]),
        (serve.main, ["--port", "x"]),
        (serve.main, ["--port", "65535"]),  # the next one would be none
        (serve.main, ["more"]),
        (automations.main, ["--hours", "x"]),
        (automations.main, ["--hours=0"]),
        (automations.main, ["--heartbeat=-1"]),
    ],
)
def test_what_is_no_command_line_ends_with_2(
    main: Callable[[list[str]], int], tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tokens) == 2
    printed = capsys.readouterr()
    assert tokens[0].split("=")[0] in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("module", [serve, automations])
def test_the_help_names_every_option_and_an_example(
    module: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"--data-dir", "--port", "--pool"} if module is serve else {"--hours", "--block"}
    assert module.main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert f"example:\n  python -m {module.__name__} --" in printed
    assert all(option in printed for option in options)
