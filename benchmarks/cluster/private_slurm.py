"""A SLURM of one node, with a key and a socket of its own, in a folder that goes with it."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")

START_S = 30.0

_CONF = """\
ClusterName=private
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPort={port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def what_lacks() -> str:
    """Say why there can be no SLURM here; empty where there can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed (Debian: slurm-wlm, munge)"
    return "" if os.geteuid() == 0 else "slurmd starts jobs for root alone"


@contextlib.contextmanager
def private_slurm(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which its commands find it."""
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir(parents=True)
    munge = folder / "munge"
    munge.chmod(0o700)
    key = munge / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    conf = folder / "slurm.conf"
    conf.write_text(
        _CONF.format(
            host=socket.gethostname().split(".")[0], folder=folder, cores=os.cpu_count(),
            port=_free_port(), node_port=_free_port(),
        )
    )  # fmt: skip
    env = {**os.environ, "SLURM_CONF": str(conf)}
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        with (folder / "output.log").open("ab") as log:
            started.append(subprocess.Popen(words, env=env, stdout=log, stderr=log))

    try:
        start("munged", "--foreground", "--force", f"--key-file={key}",
              f"--socket={munge}/munge.socket", f"--log-file={munge}/munged.log",
              f"--pid-file={munge}/munged.pid", f"--seed-file={munge}/seed")  # fmt: skip
        _wait_for((munge / "munge.socket").exists, folder)
        start("slurmctld", "-D")
        start("slurmd", "-D")
        _wait_for(lambda: b"idle" in _states(env), folder)
        yield env
    finally:
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            process.wait(START_S)


def _states(env: dict[str, str]) -> bytes:
    words = ("sinfo", "--noheader", "--format=%T")
    return subprocess.run(words, env=env, capture_output=True, check=False).stdout


def _wait_for(condition: Callable[[], bool], folder: Path) -> None:
    until = time.monotonic() + START_S
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError((folder / "output.log").read_text())
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
