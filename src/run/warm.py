"""Brings the interpreter up before there is a program to run.

Lies in the image as `sitecustomize`, so Python imports it at the end of its own start and before
it opens the script. It tells the supervisor on descriptor 3 that the interpreter is up and waits
there. The supervisor writes the script and shuts that descriptor down; Python then runs the
script as it always would. Nothing of this module is left by then: raising ImportError makes the
import system forget it, and `site` takes a missing `sitecustomize` for the normal case.
"""

import os
import sys

SUPERVISOR = 3

HERE = os.path.dirname(__file__)
sys.path.remove(HERE)
sys.path_importer_cache.pop(HERE, None)
del os.environ["PYTHONPATH"]

try:
    # Python looks for this next. Looking now fills its directory caches off the user's time.
    import usercustomize  # noqa: F401
except ImportError:
    pass

os.write(SUPERVISOR, b"R")
os.read(SUPERVISOR, 1)  # until the end of file
os.close(SUPERVISOR)
raise ImportError(name="sitecustomize")
