"""What Alembic calls: the tables that these migrations lead to."""

from kit import db
from services.scheduler import store

db.run_migrations(target_metadata=store.METADATA, service="scheduler")
