#!/bin/sh
# One role and one schema a service: none can read another's tables. Run once, by the image, on an empty data directory.
set -eu

role() {
    psql -v ON_ERROR_STOP=1 -v name="$1" -v word="$2" -v base="$POSTGRES_DB" -U postgres -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'word';
CREATE SCHEMA :"name" AUTHORIZATION :"name";
GRANT CONNECT ON DATABASE :"base" TO :"name";
ALTER ROLE :"name" SET search_path = :"name";
SQL
}

psql -v ON_ERROR_STOP=1 -U postgres -d "$POSTGRES_DB" -c 'REVOKE ALL ON SCHEMA public FROM PUBLIC'
role roster "$ROSTER_PASSWORD"
role scheduler "$SCHEDULER_PASSWORD"
role capture "$CAPTURE_PASSWORD"
role billing "$BILLING_PASSWORD"
role verify "$VERIFY_PASSWORD"
