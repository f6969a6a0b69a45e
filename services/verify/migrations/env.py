"""What Alembic calls: the tables that these migrations lead to."""

from kit import db
from services.verify import store

db.run_migrations(store.METADATA, service="verify")
