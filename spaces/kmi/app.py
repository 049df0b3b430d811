"""The KMI Space. All of it is `kmi.space`; see `kmi/space/engine.py` for the writer behind the chat."""

import os

# Two OpenMP threads beside any busy process make torch crawl on small machines.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from kmi.space.app import build, launch
from kmi.space.engine import Engine, writer_from

if __name__ == "__main__":
    launch(build(Engine(writer_from(os.environ))))
