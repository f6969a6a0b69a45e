#!/bin/sh
# One role and one schema a service: none can read another's tables. Run once, by the image, on an empty data directory.
# The same as the embedded stack makes (cli/stack/parts/postgres.py).
set -eu

admin() {
    psql -v ON_ERROR_STOP=1 -v base="$POSTGRES_DB" -U postgres -d "$POSTGRES_DB" "$@"
}

role() {
    admin -v name="$1" -v word="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'word';
CREATE SCHEMA :"name" AUTHORIZATION :"name";
GRANT CONNECT ON DATABASE :"base" TO :"name";
ALTER ROLE :"name" SET search_path = :"name", extensions;
SQL
}

admin <<'SQL'
REVOKE ALL ON DATABASE :"base" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO PUBLIC;
CREATE EXTENSION btree_gist SCHEMA extensions;
SQL
role roster "$ROSTER_PASSWORD"
role scheduler "$SCHEDULER_PASSWORD"
role capture "$CAPTURE_PASSWORD"
role billing "$BILLING_PASSWORD"
role verify "$VERIFY_PASSWORD"
