#!/bin/sh
# Makes Temporal's two databases and brings their schemas to the version of this tool, which is the server's. May run any number of
# times: each step leaves alone what is already there. Connection: SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER, SQL_PASSWORD.
set -eu

bring_up_to_date() {
  echo "$1: create the database and update its schema"
  temporal-sql-tool --database "$1" create-database --defaultdb postgres
  temporal-sql-tool --database "$1" setup-schema -v 0.0
  temporal-sql-tool --database "$1" update-schema --schema-name "$2"
}

bring_up_to_date temporal postgresql/v12/temporal
bring_up_to_date temporal_visibility postgresql/v12/visibility
