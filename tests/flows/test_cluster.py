"""What is looked at before a pipeline is spread over a cluster, with a Ray that is made up."""

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.dataset.dataset import Dataset
from flows import cluster
from flows.cluster import code, look, require_cluster
from tasks.train import require_here

API = "http://127.0.0.1:9/api"  # where no server is
TWO_NODES = """
from dataclasses import dataclass

NAMES = {"1": "one", "2": "two", "3": "head"}

def init(**options):
    assert options["address"] == "auto"

def nodes():
    return [
        {"Alive": True, "NodeID": at, "NodeManagerHostname": name,
         "Resources": {"CPU": 1.0} if name != "head" else {}}
        for at, name in NAMES.items()
    ]

@dataclass
class Remote:
    do: object
    node: str = ""

    def options(self, num_cpus, scheduling_strategy):
        return Remote(self.do, scheduling_strategy)

    def remote(self, host, marker, *rest):
        assert host == NAMES[self.node]
        return self.do(host, marker + ELSEWHERE.get(self.node, ""), *rest)

remote, get = Remote, list
"""


@pytest.fixture
def folder(data: DataDir) -> DataDir:
    data.root.mkdir()
    return data


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", API)


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The text of a module `ray` that the looking process imports."""
    package = tmp_path / "lib" / "ray"
    (package / "util").mkdir(parents=True)
    (package / "util" / "__init__.py").touch()
    strategies = "def NodeAffinitySchedulingStrategy(node, soft):\n    return node\n"
    (package / "util" / "scheduling_strategies.py").write_text(strategies)
    root = Path(cluster.__file__).parent.parent
    monkeypatch.setenv("PYTHONPATH", f"{package.parent}:{root}")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return package / "__init__.py"


def refusal(data: DataDir) -> str:
    """The one line in which a cluster is refused."""
    with pytest.raises(CollabError) as refused:
        require_cluster(data)
    assert len(str(refused.value).splitlines()) == 1
    assert list(data.root.iterdir()) == []  # nothing of the look is left
    return str(refused.value)


def test_a_cluster_that_never_answers(
    folder: DataDir, made_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up.write_text("import time\ndef init(**options): time.sleep(600)\n")
    monkeypatch.setattr(cluster, "SECONDS", 1)
    monkeypatch.setenv("RAY_ADDRESS", "elsewhere:6379")
    assert "at elsewhere:6379 did not answer within 1 s" in refusal(folder)


def test_no_cluster_on_this_machine(folder: DataDir, made_up: Path) -> None:
    made_up.write_text("def init(**options): raise ConnectionError('Could not find any')\n")
    assert "RAY_ADDRESS names none" in refusal(folder)


def test_a_cluster_of_another_version(folder: DataDir, made_up: Path) -> None:
    made_up.write_text("def init(**options): raise RuntimeError('Version mismatch\\nRay: 1')\n")
    assert refusal(folder).endswith("ray: Version mismatch")


def test_a_node_without_the_data_folder_is_named(folder: DataDir, made_up: Path) -> None:
    """Nodes that train are asked, each itself; a head that trains nothing is not."""
    made_up.write_text("ELSEWHERE = {'2': '-elsewhere', '3': '-elsewhere'}\n" + TWO_NODES)
    told = refusal(folder)
    assert f"two does not see the data folder {folder.root}" in told
    assert "head" not in told
    assert "one does not reach PREFECT_API_URL" in told


def test_a_node_with_other_code(folder: DataDir) -> None:
    marker = folder.root / "marker"
    marker.touch()
    told = look("one", str(marker), "other", API)
    assert told
    assert "one has other code of collab" in told


def test_nothing_is_wrong(folder: DataDir) -> None:
    marker = folder.root / "marker"
    marker.touch()
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:  # answers with an error
        threading.Thread(target=server.handle_request, daemon=True).start()
        api = f"http://127.0.0.1:{server.server_port}/api"
        assert look("one", str(marker), code(), api) is None


def test_a_dataset_that_is_on_another_machine(planted_dataset: Dataset, tmp_path: Path) -> None:
    require_here(planted_dataset)
    with pytest.raises(CollabError, match="on storage that all nodes of the cluster share"):
        require_here(replace(planted_dataset, path=tmp_path / "elsewhere"))
