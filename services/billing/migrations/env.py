"""What Alembic calls: the tables that these migrations lead to."""

from kit import db
from services.billing import store

db.run_migrations(store.METADATA, service="billing")
