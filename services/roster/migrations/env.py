"""What Alembic calls: the tables that these migrations lead to."""

from kit import db
from services.roster import store

db.run_migrations(target_metadata=store.METADATA, service="roster")
