from kit import db
from services.billing import store

db.run_migrations(target_metadata=store.METADATA, service="billing")
