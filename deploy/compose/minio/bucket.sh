#!/bin/sh
# Makes the bucket, and the user that Weir and the catalog have. Again it changes nothing.
set -eu
secret() { cat "/run/secrets/$1"; }
mc alias set lake http://minio:9000 "$(secret minio_root_user)" "$(secret minio_root_password)" >/dev/null
mc mb --ignore-existing lake/weir
mc admin policy create lake weir /setup/policy.json
mc admin user add lake "$(secret s3_access_key)" "$(secret s3_secret_key)" >/dev/null
mc admin policy attach lake weir --user "$(secret s3_access_key)" >/dev/null 2>&1 || # fails where it is attached
  mc admin user info lake "$(secret s3_access_key)" | grep -q weir
