"""Workers start, and whatever happens to them, the student is told and none remains.

The scripts import no torch, so that each costs the launcher's start alone.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time

import pytest

from course_utils import launch

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals, executables")
PATIENT = 600  # seconds: on a busy machine the launcher's start alone takes two minutes
HEAD = "import os, sys, time\nrank = int(os.environ['RANK'])\n"


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def script(tmp_path):
    def write(body):
        path = tmp_path / "work.py"
        path.write_text(HEAD + body)
        return path

    return write


def failed(path, **options):
    """Run a script that has to fail; give the error, when nothing runs any more."""
    with pytest.raises(launch.LaunchError) as caught:
        launch.torchrun(path, **options)
    assert launch.alive(caught.value.processes) == []
    return caught.value


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_two_workers_run_on_a_port_of_their_own_choice(script):
    path = script("print(rank, os.environ['WORLD_SIZE'], sys.argv[1:])")
    run = launch.torchrun(path, "--steps", 5, port=free_port(), timeout=PATIENT)
    assert run.output.strip() == "0 2 ['--steps', '5']"
    assert run.processes and launch.alive(run.processes) == []


def test_a_worker_that_dies_is_quoted_and_the_others_are_stopped(script, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a Jupyter kernel does
    body = "if rank == 1:\n    time.sleep(1)\n    raise ValueError('bad shard')\n"
    body += "try:\n    time.sleep(600)\nfinally:\n    print('end')"
    error = failed(script(body))
    lines = str(error).splitlines()
    assert lines[0] == (
        "work.py: worker 1 of 2 raised an error; the others were stopped"
    )
    assert lines[-1] == "  worker 1 | ValueError: bad shard"
    assert len(error.processes) >= 3


@POSIX
def test_who_raised_first_is_named_though_all_are_aborted(script):
    """As gloo's workers are, now and then: rank 0 loses its peer, and cries too."""
    body = "import traceback\ntry:\n    time.sleep(0.5 * (1 - rank))\n"
    body += "    raise ValueError(['connection', 'bad shard'][rank])\n"
    body += "except ValueError:\n    traceback.print_exc()\n"
    body += "print('terminate called without', file=sys.stderr, flush=True)\n"
    lines = str(
        failed(script(body + "time.sleep(0.7 * rank)\nos.abort()"))
    ).splitlines()
    assert "worker 1 of 2 raised an error" in lines[0]
    assert lines[-1] == "  worker 1 | ValueError: bad shard"


def test_a_worker_that_ends_without_a_word_is_named(script):
    error = failed(script("if rank:\n    os._exit(3)\ntime.sleep(600)"))
    assert str(error) == (
        "work.py: worker 1 of 2 ended with code 3; the others were stopped"
    )


@POSIX
def test_a_killed_worker_is_found_among_those_it_left_alone(script):
    body = "import signal\nif rank:\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    error = failed(script(body + "time.sleep(600)"))
    assert str(error).startswith("work.py: worker 1 of 2 was killed by SIGKILL")


def test_workers_that_hang_are_ended_with_the_time(script):
    error = failed(script("print('waiting', flush=True)\ntime.sleep(600)"), timeout=6)
    assert "not finished after 6 seconds. All 2 workers were stopped" in str(error)
    assert len(error.processes) >= 1


def test_a_taken_port_is_named_before_anything_starts(script):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        error = failed(script(""), port=port)
    assert f"port {port} is taken by another program" in str(error)
    assert not error.processes


def test_a_port_taken_meanwhile_is_named_too(script, monkeypatch):
    """Between our look and torchrun's, somebody else takes it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        where = ["--nnodes=1", "--master-addr=127.0.0.1", f"--master-port={port}"]
        monkeypatch.setattr(launch, "_meet", lambda port: where)
        error = failed(script("time.sleep(600)"), port=port, timeout=30)
    assert f"port {port} is taken by another program" in str(error)


def test_a_missing_torchrun_is_named_with_the_mend(script):
    error = failed(script(""), command="torchrun-of-yesterday")
    assert "torchrun-of-yesterday is not to be found" in str(error)
    assert "comes with PyTorch" in str(error)


def test_the_module_stands_in_for_a_missing_command(monkeypatch):
    monkeypatch.setattr(launch.shutil, "which", lambda name, path=None: None)
    assert launch.find_torchrun() == [sys.executable, "-m", "torch.distributed.run"]
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(launch.LaunchError, match="torchrun is not to be found"):
        launch.find_torchrun()


def test_a_missing_script_is_named(tmp_path):
    assert "no script gone.py" in str(failed(tmp_path / "gone.py"))


def launcher(tmp_path, body):
    """Write a launcher of our own: to see what torchrun shows only in bad luck."""
    program = tmp_path / "launcher.py"
    program.write_text(f"import os, signal, sys, subprocess, time\n{body}")
    path = tmp_path / "launcher"
    # A shell starts it: what `#!` names may have no blank in its path.
    words = map(shlex.quote, (sys.executable, str(program)))
    path.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
    path.chmod(0o755)
    return str(path)


@POSIX
def test_what_torchrun_says_is_quoted_if_no_worker_began(script, tmp_path):
    command = launcher(tmp_path, "print('torchrun: error: what?')\nsys.exit(2)")
    assert str(failed(script(""), command=command)) == (
        "work.py: torchrun ended with code 2\n  torchrun | torchrun: error: what?"
    )


@POSIX
def test_who_will_not_end_is_ended_with_all_it_started(script, tmp_path, monkeypatch):
    """A launcher and a worker in a session of its own, both deaf to SIGTERM."""
    monkeypatch.setattr(launch, "_GRACE", 0.5)
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    body += "subprocess.run(['sleep', '600'], start_new_session=True)"
    error = failed(script(""), command=launcher(tmp_path, body), timeout=2)
    assert "not finished after 2 seconds" in str(error)
    assert len(error.processes) == 2


@POSIX
def test_orphans_of_a_launcher_that_ended_are_ended_too(script, tmp_path, monkeypatch):
    """One in a session of its own, and one so late that nobody saw it start."""
    body = "subprocess.Popen(['sleep', '600'], start_new_session=True)\ntime.sleep(1)\n"
    body += "print(subprocess.Popen(['sleep', '600']).pid, file=open('late', 'w'))"
    monkeypatch.chdir(tmp_path)
    run = launch.torchrun(script(""), command=launcher(tmp_path, body))
    assert len(run.processes) >= 2 and launch.alive(run.processes) == []
    assert launch.alive([int((tmp_path / "late").read_text())]) == []


@POSIX
def test_the_stop_button_leaves_nothing_behind(script, tmp_path, monkeypatch):
    started = set()

    def pressed(roots):
        first = len(started) < 2
        started.update(children(roots))
        if first and len(started) > 1:
            raise KeyboardInterrupt
        return started

    children = launch._descendants
    monkeypatch.setattr(launch, "_descendants", pressed)
    body = "subprocess.run(['sleep', '600'])"
    with pytest.raises(KeyboardInterrupt):
        launch.torchrun(script(""), command=launcher(tmp_path, body), timeout=20)
    assert launch.alive(started) == []


def test_alive_knows_the_living_and_the_dead():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as child:
        assert {os.getpid(), child.pid} <= set(launch.alive({os.getpid(), child.pid}))
        child.kill()
        while launch.alive([child.pid]):  # killed, not yet waited for: a zombie
            time.sleep(0.01)
    assert launch.alive([child.pid]) == []
