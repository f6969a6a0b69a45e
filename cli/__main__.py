"""`python -m cli`: what `./gradphoto` hands over to."""

import sys

try:
    from cli import app

    app.main()
except KeyboardInterrupt:  # while modules are still being read; later the commands answer themselves
    sys.exit(130)
