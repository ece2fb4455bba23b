"""MNIST from real files, good and damaged, a real server; toy sets; mini-batches."""

import errno
import gzip
import hashlib
import inspect
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import data
from course_utils.data import minibatches, mnist, one_hot, spirals, two_moons

REAL = Path(data.__file__).resolve().parents[1] / "data" / "MNIST" / "raw"
NAMES = sorted(data._SHA256)
SMALL = "t10k-labels-idx1-ubyte.gz"
BIG = "train-images-idx3-ubyte.gz"


# ---------------------------------------------------------------- a place of its own


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A copy of the bundled files, an empty cache, and no network."""
    bundled = tmp_path / "repository" / "data" / "MNIST" / "raw"
    shutil.copytree(REAL, bundled, ignore=shutil.ignore_patterns("*-ubyte"))
    cache = tmp_path / "chosen" / "MNIST" / "raw"
    monkeypatch.setattr(data, "_BUNDLED", bundled)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "chosen"))
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    monkeypatch.setattr(data, "_MIRROR", f"http://127.0.0.1:{closed_port()}/")
    return bundled, cache


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def files_under(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Server(ThreadingHTTPServer):
    """Sends the real files, or what `send(handler, content)` makes of them."""

    daemon_threads = True
    send = None

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        self.server.asked.append(self.path)
        content = (REAL / self.path.lstrip("/")).read_bytes()
        (self.server.send or send_whole)(self, content)

    def log_message(self, *_):
        pass


def send_whole(handler, content, promised=None):
    handler.send_response(200)
    handler.send_header("Content-Length", str(promised or len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@pytest.fixture
def server(place, monkeypatch):
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{running.server_port}/"
        monkeypatch.setattr(data, "_MIRROR", url)
        yield running
        running.shutdown()
        thread.join()


# --------------------------------------------------------------------- the good case


@pytest.fixture(scope="module")
def arrays():
    return mnist()


def test_shapes_types_and_range(arrays):
    x_train, y_train, x_test, y_test = arrays
    assert (x_train.shape, x_test.shape) == ((60000, 784), (10000, 784))
    assert (y_train.shape, y_test.shape) == ((60000,), (10000,))
    assert x_train.dtype == x_test.dtype == np.float32
    assert y_train.dtype == y_test.dtype == np.int64
    for x in (x_train, x_test):
        assert x.min() == 0 and x.max() == 1 and x.flags.c_contiguous
    for y in (y_train, y_test):
        assert set(y) == set(range(10))


def test_bundled_files_need_no_network_and_no_home(place, monkeypatch):
    for variable in ("COURSE_DATA", "HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(os, "getuid", lambda: 987654, raising=False)
    assert len(mnist()[3]) == 10000
    assert files_under(place[1].parent) == []


def no_network(*_):
    raise AssertionError("the network was asked")


def test_every_call_gives_arrays_of_its_own(arrays):
    again = mnist()
    for first, second in zip(arrays, again, strict=True):
        assert second.flags.writeable
        assert not np.shares_memory(first, second)
        assert np.array_equal(first, second)


def test_no_float64_copy_is_made_on_the_way():
    tracemalloc.start()
    try:
        mnist()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 188 MB of float32, 47 MB of pixels, 10 MB of archive; float64 would add 376 MB.
    assert peak < 260e6


def test_torchvision_reads_the_same_without_network(place, arrays, monkeypatch):
    datasets = pytest.importorskip("torchvision").datasets
    monkeypatch.setattr(socket.socket, "connect", no_network)
    root = place[0].parents[1]
    x_train, y_train, x_test, y_test = arrays
    for train, x, y in ((True, x_train, y_train), (False, x_test, y_test)):
        peer = datasets.MNIST(root, train=train, download=True)
        some = slice(None, None, 6 if train else 1)  # all would take seconds
        expected = (peer.data[some] / 255).reshape(-1, 784).numpy()
        assert np.array_equal(x[some], expected)
        np.testing.assert_array_equal(y, peer.targets.numpy())


def test_readme_states_the_sums_sizes_and_licence():
    text = (REAL.parents[1] / "README.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines()]
    table = {row[0]: row[1:] for row in rows if row[0] in NAMES}
    assert sorted(table) == NAMES
    for name, stated in table.items():
        content = (REAL / name).read_bytes()
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        assert stated == [f"{len(content):,}", md5, sha256(content)]
        assert data._SHA256[name] == sha256(content)
    assert "CC BY-SA 3.0" in text


# ------------------------------------------------------------------- damaged on disk


def flip_a_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def wrong_magic(content: bytes) -> bytes:
    """A sound archive whose first number does not say what is inside."""
    return gzip.compress(b"\0\0\x0b\x0d" + gzip.decompress(content)[4:], 1)


def other_labels(_: bytes) -> bytes:
    """As many labels as the test set has, in the right format, of another set."""
    labels = np.random.default_rng(0).integers(0, 10, 10_000, np.uint8)
    return gzip.compress(b"\0\0\x08\x01" + (10_000).to_bytes(4, "big") + bytes(labels))


# The same for a small file: only its sum can tell these from the original.
SOUND_BUT_WRONG = {
    "wrong magic": wrong_magic,
    "labels of another set": other_labels,
    "not compressed": gzip.decompress,
    "compressed twice": lambda content: gzip.compress(content),
    "compressed anew": lambda content: gzip.compress(gzip.decompress(content), 1),
    "twice in a row": lambda content: content + content,
    "a log-in page": lambda _: b"<html>Please log in</html>",
    "a log-in page, compressed": lambda _: gzip.compress(b"<html>Please log in</html>"),
    "a pointer to the file": lambda _: b"version 1\noid sha256:f7ae\nsize 4542\n",
    "zeros": lambda content: bytes(len(content)),
    "line ends changed": lambda content: content.replace(b"\n", b"\r\n"),
    "a block of zeros": lambda content: content[:512] + bytes(512) + content[1024:],
    "halves in turn": lambda content: content[2048:] + content[:2048],
    "test labels for training": lambda _: (REAL / NAMES[3]).read_bytes(),
    "images for labels": lambda _: (REAL / NAMES[0]).read_bytes(),
}


def small():
    """Load the smallest file alone; `mnist` reads it last."""
    return data._labels(SMALL)


@pytest.mark.parametrize("damage", SOUND_BUT_WRONG)
@pytest.mark.parametrize("where", [0, 1], ids=["bundled", "cache"])
def test_what_only_looks_like_the_file_is_refused(place, server, where, damage):
    original = (place[0] / SMALL).read_bytes()
    (place[0] / SMALL).unlink()
    wrong = SOUND_BUT_WRONG[damage](original)
    assert wrong != original
    place[where].mkdir(parents=True, exist_ok=True)
    (place[where] / SMALL).write_bytes(wrong)
    with pytest.raises(ValueError, match=f"{SMALL} is damaged: .* Mend: ") as caught:
        small()
    assert sha256(wrong) in str(caught.value) and server.asked == []


def test_two_files_that_changed_places(place):
    one, other = place[0] / NAMES[1], place[0] / NAMES[3]
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1]), other.write_bytes(contents[0])
    with pytest.raises(ValueError, match="labels-idx1-ubyte.gz is damaged"):
        mnist()


@pytest.mark.skipif(os.name == "nt", reason="POSIX links and pipes")
@pytest.mark.parametrize("kind", ["a link to itself", "a pipe"])
def test_what_is_no_file_at_all(place, server, kind):
    path = place[0] / SMALL
    path.unlink()
    path.symlink_to(path) if kind == "a link to itself" else os.mkfifo(path)
    with pytest.raises(OSError, match=f"{SMALL} cannot be read: .* Mend: "):
        small()  # and does not wait for ever
    assert server.asked == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX links")
def test_a_link_that_leads_nowhere_is_a_missing_file(place, server):
    (place[0] / SMALL).unlink()
    (place[0] / SMALL).symlink_to(place[0] / "gone")
    assert len(small()) == 10000
    assert server.asked == ["/" + SMALL]


DAMAGES = {
    "truncated": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-1],
    "flipped bit": flip_a_bit,
    "longer": lambda content: content + b"\0",
    "empty": lambda content: b"",
    "swapped": lambda _: (REAL / "train-labels-idx1-ubyte.gz").read_bytes(),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("where", ["bundled", "cache"])
def test_a_damaged_file_is_named_and_kept_and_not_passed_over(
    place, server, where, damage
):
    bundled, cache = place
    path = bundled / BIG
    if where == "cache":
        cache.mkdir(parents=True)
        path = path.rename(cache / BIG)
    elif damage == "flipped bit":  # nor does a good file in the cache hide it
        shutil.copytree(bundled, cache)
    bad = DAMAGES[damage](path.read_bytes())
    path.write_bytes(bad)
    with pytest.raises(ValueError) as caught:
        mnist()
    message = str(caught.value)
    mend = "git checkout -- data/MNIST/raw" if where == "bundled" else "delete it"
    for part in (str(path), data._SHA256[BIG], sha256(bad), mend):
        assert part in message
    assert path.read_bytes() == bad
    assert server.asked == []


@pytest.mark.parametrize("name", NAMES)
def test_each_of_the_four_files_is_verified(place, name):
    path = place[0] / name
    path.write_bytes(flip_a_bit(path.read_bytes()))
    with pytest.raises(ValueError, match=f"{name} is damaged"):
        mnist()


@pytest.mark.parametrize("where", [0, 1], ids=["bundled", "cache"])
def test_a_folder_in_place_of_a_file(place, server, where):
    (place[0] / BIG).unlink()
    wrong = place[where] / BIG
    wrong.mkdir(parents=True)
    with pytest.raises(OSError, match=f"{BIG} cannot be read: a folder.* Mend: "):
        mnist()
    assert wrong.is_dir() and server.asked == []


def test_a_file_that_cannot_be_read(place, monkeypatch):
    if not hasattr(os, "geteuid") or os.geteuid() == 0:  # root may read everything
        denied = PermissionError(errno.EACCES, "Permission denied")
        monkeypatch.setattr(
            Path, "read_bytes", lambda self: (_ for _ in ()).throw(denied)
        )
    else:
        (place[0] / BIG).chmod(0)
    with pytest.raises(OSError, match=f"{BIG} cannot be read: .*denied.* Mend: "):
        mnist()


# -------------------------------------------------------------- cache folder, network


def test_the_cache_stands_in_for_missing_files(place, arrays):
    bundled, cache = place
    cache.mkdir(parents=True)
    for name in (SMALL, "train-labels-idx1-ubyte.gz"):
        (bundled / name).rename(cache / name)
    for expected, found in zip(arrays, mnist(), strict=True):
        assert np.array_equal(found, expected)


def test_a_download_fills_the_cache_once(place, server, arrays):
    bundled, cache = place
    shutil.rmtree(bundled.parents[2])
    for _ in range(2):
        for expected, found in zip(arrays, mnist(), strict=True):
            assert np.array_equal(found, expected)
    assert sorted(server.asked) == ["/" + name for name in NAMES]
    assert files_under(cache) == NAMES
    for name in NAMES:
        assert (cache / name).read_bytes() == (REAL / name).read_bytes()


def test_only_what_is_missing_is_downloaded(place, server):
    (place[0] / SMALL).unlink()
    mnist()
    assert server.asked == ["/" + SMALL] and files_under(place[1]) == [SMALL]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_shared_cache_is_readable_as_the_umask_says(place, server):
    (place[0] / SMALL).unlink()
    before = os.umask(0o022)
    try:
        mnist()
    finally:
        os.umask(before)
    assert stat.S_IMODE((place[1] / SMALL).stat().st_mode) == 0o644


def cut_short(handler, content):
    send_whole(handler, content[: len(content) // 2], promised=len(content))


def cut_without_length(handler, content):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])


LOG_IN = b"<html>Please log in</html>"


def log_in_page(handler, _):
    send_whole(handler, LOG_IN)


@pytest.mark.parametrize("send", [cut_short, cut_without_length, log_in_page])
def test_a_damaged_download_is_named_and_not_kept(place, server, send):
    bundled, cache = place
    (bundled / BIG).unlink()
    server.send = send
    with pytest.raises(ValueError) as caught:
        mnist()
    message = str(caught.value)
    content = (REAL / BIG).read_bytes()
    received = LOG_IN if send is log_in_page else content[: len(content) // 2]
    sums = (data._SHA256[BIG], sha256(received))
    for part in (data._MIRROR + BIG, *sums, "Mend: ", str(cache)):
        assert part in message
    assert files_under(cache.parents[1]) == []
    server.send = None  # and the next attempt is none the worse for it
    assert len(mnist()[0]) == 60000


def broken_status(handler, _):
    handler.wfile.write(b"this is no HTTP\r\n\r\n")


@pytest.mark.parametrize(
    ("send", "reason"),
    [
        (lambda handler, _: handler.send_error(404), "404"),
        (lambda handler, _: handler.send_error(503), "503"),
        (lambda handler, _: handler.connection.close(), None),
        (broken_status, "this is no HTTP"),
    ],
    ids=["404", "503", "hangs up", "no HTTP"],
)
def test_a_server_that_has_it_not(place, server, send, reason):
    (place[0] / BIG).unlink()
    server.send = send
    with pytest.raises(ConnectionError, match=reason):
        mnist()
    assert files_under(place[1].parents[1]) == []


def test_a_server_that_falls_silent(place, server, monkeypatch):
    (place[0] / BIG).unlink()
    monkeypatch.setattr(data, "_TIMEOUT", 0.2)
    done = threading.Event()
    server.send = lambda *_: done.wait(20)
    try:
        with pytest.raises(ConnectionError, match="timed out"):
            mnist()
    finally:
        done.set()
    assert files_under(place[1].parents[1]) == []


def test_nowhere_and_no_network_names_every_place_and_the_mend(place):
    bundled, cache = place
    shutil.rmtree(bundled.parents[2])
    with pytest.raises(ConnectionError) as caught:
        mnist()
    mends = ("git checkout -- data/MNIST/raw", "COURSE_DATA", "copy the file")
    for part in (BIG, str(bundled), str(cache), data._MIRROR + BIG, *mends):
        assert part in str(caught.value)
    assert not cache.exists()


def test_a_cache_folder_that_cannot_be_made(place, server, tmp_path, monkeypatch):
    (place[0] / BIG).unlink()
    (tmp_path / "a file").write_text("no folder")  # stops even an administrator
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "a file" / "below"))
    with pytest.raises(OSError, match="cannot be written") as caught:
        mnist()
    folder = tmp_path / "a file" / "below" / "MNIST" / "raw"
    assert str(folder) in str(caught.value) and "COURSE_DATA" in str(caught.value)


@contextmanager
def files_no_larger_than(size):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more(place, server):
    (place[0] / BIG).unlink()
    with files_no_larger_than(2**20):
        with pytest.raises(OSError, match="cannot be written: .* Mend: make room"):
            mnist()
    assert files_under(place[1].parents[1]) == []


class FullFile:
    """A file on a disk that fills up after a few bytes."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, content):
        self.file.write(content[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")


def open_on_a_full_disk(path, mode="r"):
    file = open(path, mode)
    return FullFile(file) if "x" in mode else file


@pytest.mark.parametrize("moment", ["write", "fsync", "replace", "folder"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing_and_says_so(
    place, server, monkeypatch, moment, code
):
    (place[0] / SMALL).unlink()

    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        if moment == "write":
            patch.setattr(Path, "open", open_on_a_full_disk)
        elif moment == "folder":
            patch.setattr(Path, "mkdir", fail)
        else:
            patch.setattr(data.os, moment, fail)
        with pytest.raises(OSError, match="cannot be written: .* Mend: make room"):
            small()
    assert files_under(place[1].parents[1]) == []
    assert len(small()) == 10000  # with room again, all is well
    assert files_under(place[1]) == [SMALL]


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_interrupted_while_writing_nothing_is_left(place, server, monkeypatch, moment):
    (place[0] / BIG).unlink()

    def interrupt(*_):
        assert len(files_under(place[1])) == 1  # the file is on its way
        raise KeyboardInterrupt

    monkeypatch.setattr(data.os, moment, interrupt)
    with pytest.raises(KeyboardInterrupt):
        mnist()
    assert files_under(place[1].parents[1]) == []


SCRIPT = """
import sys
from pathlib import Path
from course_utils import data

data._BUNDLED, data._MIRROR = Path(sys.argv[1]), sys.argv[2]
print([float(x.sum(dtype="float64")) for x in data.mnist()])
"""


def load_in_a_process(place, before=""):
    command = [sys.executable, "-c", before + SCRIPT, str(place[0]), data._MIRROR]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("kill", ["SIGINT", "SIGKILL"])
def test_interrupted_while_downloading_nothing_is_left(place, server, kill):
    (place[0] / BIG).unlink()
    half_sent, done = threading.Event(), threading.Event()

    def send_half_and_wait(handler, content):
        send_whole(handler, content[: len(content) // 2], promised=len(content))
        half_sent.set()
        done.wait(20)

    server.send = send_half_and_wait
    # What a shell starts in its background ignores Ctrl-C, and so would its children.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    with load_in_a_process(place, heard) as process:
        assert half_sent.wait(20)
        process.send_signal(getattr(signal, kill))
        _, errors = process.communicate(timeout=20)
        done.set()
    assert process.returncode != 0
    assert ("KeyboardInterrupt" in errors) == (kill == "SIGINT")
    assert files_under(place[1].parents[1]) == []


KILLED = """
import os, signal
os.{moment} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_killed_while_writing_never_half_a_file(place, server, moment):
    (place[0] / SMALL).unlink()
    with load_in_a_process(place, KILLED.format(moment=moment)) as process:
        process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    (part,) = files_under(place[1])  # nobody was left to take it away
    assert part.startswith(SMALL) and part.endswith(".part")
    assert len(small()) == 10000
    assert files_under(place[1]) == [SMALL, part]  # it may be somebody's at work
    os.utime(place[1] / part, (0, 0))
    (place[1] / SMALL).unlink()
    small()
    assert files_under(place[1]) == [SMALL]


@pytest.fixture
def open_place():
    """A folder that other users can read; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        shutil.copytree(REAL, Path(folder) / "raw", ignore=lambda *_: [NAMES[1]])
        os.chmod(Path(folder) / "raw", 0o755)
        yield Path(folder)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user"
)
@pytest.mark.parametrize("what", ["file", "folder", "cache"])
def test_a_user_without_permission(open_place, server, monkeypatch, what):
    raw, cache = open_place / "raw", open_place / "cache"
    cache.mkdir(mode=0o755)
    if what != "cache":  # which others may read, and not write
        (raw / NAMES[0] if what == "file" else raw).chmod(0o600)
    monkeypatch.setenv("COURSE_DATA", str(cache))
    # Python and the package are read first, as they may be closed to others as well.
    drop = "import os, numpy, urllib.request, encodings.idna; os.setgroups([])\n"
    drop += "from course_utils import data; os.setgid(65534); os.setuid(65534)\n"
    with load_in_a_process((raw, cache), drop) as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    said = "cannot be written" if what == "cache" else "cannot be read"
    last = errors.strip().splitlines()[-1]
    assert "PermissionError" in errors and said in last and "Mend: " in last
    assert what == "cache" or "permission to read" in last
    assert files_under(cache) == []


def test_two_processes_download_at_once(place, server, arrays):
    for path in place[0].iterdir():
        path.unlink()
    both = threading.Barrier(2, timeout=20)

    def send_together(handler, content):
        if handler.path.endswith(BIG):
            both.wait()  # each has found the cache empty
        send_whole(handler, content)

    server.send = send_together
    with load_in_a_process(place) as one, load_in_a_process(place) as other:
        expected = str([float(x.sum(dtype="float64")) for x in arrays])
        for process in (one, other):
            output, errors = process.communicate(timeout=30)
            assert (output.strip(), errors) == (expected, "")
    assert server.asked.count("/" + BIG) == 2
    assert files_under(place[1]) == NAMES


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [
        ("linux", "XDG_CACHE_HOME", ""),
        ("linux", "HOME", ".cache"),
        ("darwin", "HOME", "Library/Caches"),
        ("win32", "LOCALAPPDATA", ""),
    ],
)
def test_the_cache_folder_is_the_platforms(
    monkeypatch, tmp_path, platform, variable, tail
):
    if variable == "HOME" and os.name == "nt":
        variable = "USERPROFILE"
    for name in ("COURSE_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(data.sys, "platform", platform)
    expected = tmp_path / tail / "backpropagation-from-scratch" / "MNIST" / "raw"
    assert data._cache_folder() == expected


def test_importing_asks_nothing_but_numpy():
    code = (
        "import sys; import course_utils.data; "
        "print({'torch', 'tqdm', 'matplotlib', 'urllib.request'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.stdout.strip(), run.stderr) == ("set()", "")


# -------------------------------------------------------------------------- toy sets


def draw_moons(n, noise, rng):
    return two_moons(n, noise, rng)


def draw_spirals(n, noise, rng):
    return spirals(n, 3, noise, rng)


@pytest.mark.parametrize(("draw", "k"), [(draw_moons, 2), (draw_spirals, 3)])
def test_toy_sets_shapes_balance_and_seed(draw, k):
    X, y = draw(50, 0.1, np.random.default_rng(5))
    assert X.shape == (50, 2) and X.dtype == np.float64
    assert y.shape == (50,) and y.dtype == np.int64
    np.testing.assert_array_equal(y, np.arange(50) % k)
    np.random.seed(0)  # noqa: NPY002 – the global state has no say
    again, _ = draw(50, 0.1, np.random.default_rng(5))
    np.testing.assert_array_equal(X, again)
    other, _ = draw(50, 0.1, np.random.default_rng(6))
    assert not np.any(X == other)


def test_moons_without_noise_lie_on_their_half_circles():
    X, y = two_moons(400, 0, np.random.default_rng(0))
    centre = np.where(y[:, None] == 0, [0, 0], [1, 0.5])
    np.testing.assert_allclose(np.hypot(*(X - centre).T), 1, rtol=1e-12)
    assert np.all(X[y == 0, 1] >= 0) and np.all(X[y == 1, 1] <= 0.5)


def test_spirals_without_noise_lie_on_their_arms():
    X, y = spirals(400, 4, 0, np.random.default_rng(0))
    r = np.hypot(*X.T)
    assert r.min() >= 0.1 and r.max() <= 1
    turned = np.arctan2(X[:, 1], X[:, 0]) - 2 * np.pi * (y / 4 + 0.75 * r)
    np.testing.assert_allclose(np.cos(turned), 1, atol=1e-12)


@pytest.mark.parametrize("draw", [draw_moons, draw_spirals])
def test_noise_is_a_standard_deviation_of_each_coordinate(draw):
    clean, _ = draw(20_000, 0.0, np.random.default_rng(1))
    noisy, _ = draw(20_000, 0.3, np.random.default_rng(1))
    # The sample's own deviation is 0.3 / sqrt(2 · 20,000) = 0.0015; four of them.
    np.testing.assert_allclose((noisy - clean).std(axis=0), 0.3, atol=0.006)


@pytest.mark.parametrize("draw", [draw_moons, draw_spirals])
@pytest.mark.parametrize(
    ("n", "noise", "rng", "error", "message"),
    [
        (0, 0.1, None, ValueError, "n: expected a whole number ≥ 1, found 0"),
        (-3, 0.1, None, ValueError, "n: .*found -3"),
        (2.5, 0.1, None, ValueError, "n: .*found 2.5"),
        (True, 0.1, None, ValueError, "n: .*found True"),
        (9, -0.1, None, ValueError, "noise: expected a finite number ≥ 0, found -0.1"),
        (9, np.nan, None, ValueError, "noise: .*found nan"),
        (9, np.inf, None, ValueError, "noise: .*found inf"),
        (9, "much", None, ValueError, "noise: .*found 'much'"),
        (9, 0.1, 7, TypeError, r"rng: .*found int.*default_rng\(7\)"),
        (9, 0.1, "seed", TypeError, r"rng: .*found str.*default_rng\(seed\)"),
        (9, 0.1, np.random.RandomState(1), TypeError, "rng: .*found RandomState"),  # noqa: NPY002
        (9, 0.1, np.random, TypeError, "rng: .*found module"),
    ],
)
def test_toy_sets_say_what_is_wrong(draw, n, noise, rng, error, message):
    with pytest.raises(error, match=message) as caught:
        draw(n, noise, np.random.default_rng(0) if rng is None else rng)
    assert "Mend: " in str(caught.value)


@pytest.mark.parametrize("n_classes", [0, -1, 2.0, "3"])
def test_spirals_and_one_hot_need_a_whole_number_of_classes(n_classes):
    with pytest.raises(ValueError, match="n_classes: expected a whole number ≥ 1"):
        spirals(9, n_classes, 0.1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="n_classes: expected a whole number ≥ 1"):
        one_hot(np.array([0]), n_classes)


@given(st.integers(1, 12).flatmap(lambda k: st.tuples(
    st.just(k), st.lists(st.integers(0, k - 1), min_size=1, max_size=20),
    st.sampled_from([np.int64, np.int8, np.uint8]))))  # fmt: skip
def test_one_hot_has_a_one_where_the_label_says(case):
    k, labels, dtype = case
    out = one_hot(np.array(labels, dtype), k)
    assert out.shape == (len(labels), k) and out.dtype == np.float64
    np.testing.assert_array_equal(out.sum(axis=1), 1)
    np.testing.assert_array_equal(out.argmax(axis=1), labels)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.array([0, 3, 4]), ValueError, "expected 0 … 2, found 3 at index 1"),
        (np.array([0, -1]), ValueError, "found -1 at index 1"),
        (np.array([0.0, 1.0]), TypeError, "expected integers, found float64"),
        (np.array([True]), TypeError, "expected integers, found bool"),
        (
            np.array([[0], [1]]),
            ValueError,
            r"expected the shape \(N,\), found \(2, 1\)",
        ),
    ],
)
def test_one_hot_says_what_is_wrong(labels, error, message):
    with pytest.raises(error, match=message) as caught:
        one_hot(labels, 3)
    assert "Mend: " in str(caught.value)


# ---------------------------------------------------------------------- mini-batches

sizes = {"n": st.integers(0, 60), "batch_size": st.integers(1, 70)}
seeds = st.none() | st.integers(0, 2**32)


def examples(n):
    """Pairs that know each other: row i of x is (i, i + ½, i + ¼), its label i."""
    return np.arange(n)[:, None] + np.array([0, 0.5, 0.25]), np.arange(n)


def maybe_rng(seed):
    return None if seed is None else np.random.default_rng(seed)


@given(seed=seeds, drop_last=st.booleans(), **sizes)
def test_every_example_once_and_pairs_stay_together(n, batch_size, seed, drop_last):
    x, y = examples(n)
    batches = list(minibatches(x, y, batch_size, maybe_rng(seed), drop_last=drop_last))
    lengths = [len(x_batch) for x_batch, _ in batches]
    whole, rest = divmod(n, batch_size)
    kept = [] if drop_last or rest == 0 else [rest]
    assert lengths == [batch_size] * whole + kept
    for x_batch, y_batch in batches:
        np.testing.assert_array_equal(x_batch[:, 0], y_batch)
        np.testing.assert_array_equal(x_batch[:, 2], y_batch + 0.25)
    seen = [int(label) for _, y_batch in batches for label in y_batch]
    assert len(set(seen)) == len(seen) == sum(lengths)
    if seed is None:
        assert seen == list(range(len(seen)))


@given(seed=st.integers(0, 2**32), **sizes)
def test_same_seed_same_order_whatever_the_batch_size(n, batch_size, seed):
    x, y = examples(n)

    def order(size, rng):
        batches = [labels for _, labels in minibatches(x, y, size, rng)]
        return np.concatenate([*batches, np.array([], int)])

    expected = np.random.default_rng(seed).permutation(n)
    np.testing.assert_array_equal(order(batch_size, maybe_rng(seed)), expected)
    np.testing.assert_array_equal(order(1, maybe_rng(seed)), expected)


def test_a_second_epoch_has_another_order():
    x, y = examples(50)
    rng = np.random.default_rng(0)
    first, second = (next(minibatches(x, y, 50, rng))[1] for _ in range(2))
    assert not np.array_equal(first, second)


def test_dropped_examples_change_from_epoch_to_epoch():
    x, y = examples(10)
    rng = np.random.default_rng(0)
    dropped = set()
    for _ in range(50):
        seen = [b for _, b in minibatches(x, y, 8, rng, drop_last=True)]
        dropped |= set(range(10)) - set(np.concatenate(seen).tolist())
    assert dropped == set(range(10))


def test_views_in_order_copies_when_shuffled():
    x, y = examples(10)
    for x_batch, y_batch in minibatches(x, y, 4):
        assert np.shares_memory(x_batch, x) and np.shares_memory(y_batch, y)
    for x_batch, y_batch in minibatches(x, y, 4, np.random.default_rng(0)):
        assert not np.shares_memory(x_batch, x)
        assert not np.shares_memory(y_batch, y)


def test_the_order_is_drawn_at_the_call():
    x, y = examples(20)
    rng = np.random.default_rng(3)
    batches = minibatches(x, y, 20, rng)
    rng.random(5)  # a draw between the call and the first batch has no say
    expected = np.random.default_rng(3).permutation(20)
    np.testing.assert_array_equal(next(batches)[1], expected)
    assert inspect.isgenerator(batches)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": np.zeros(9)}, ValueError, "found 10 rows in x and 9 in y"),
        ({"batch_size": 0}, ValueError, "batch_size: .*found 0"),
        ({"batch_size": -1}, ValueError, "batch_size: .*found -1"),
        ({"batch_size": 2.0}, ValueError, "batch_size: .*found 2.0"),
        ({"batch_size": "2"}, ValueError, "batch_size: .*found '2'"),
        ({"batch_size": True}, ValueError, "batch_size: .*found True"),
        ({"x": [[1.0]] * 10}, TypeError, "x: expected an array .*found list"),
        ({"y": np.float64(1)}, TypeError, "y: expected an array .*found float64"),
        ({"rng": 3}, TypeError, r"rng: .*found int.*default_rng\(3\)"),
        ({"rng": np.random.RandomState(1)}, TypeError, "found RandomState"),  # noqa: NPY002
    ],
)
def test_minibatches_say_what_is_wrong_at_the_call(change, error, message):
    x, y = examples(10)
    arguments = {"x": x, "y": y, "batch_size": 2, "rng": None} | change
    with pytest.raises(error, match=message) as caught:
        minibatches(**arguments)  # never iterated
    assert "Mend: " in str(caught.value)


def test_a_numpy_integer_is_a_batch_size():
    x, y = examples(10)
    assert len(list(minibatches(x, y, np.int64(4)))) == 3
