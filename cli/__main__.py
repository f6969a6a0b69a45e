"""`python -m cli`: what `./gradphoto` hands over to."""

from cli import app

app.main()
