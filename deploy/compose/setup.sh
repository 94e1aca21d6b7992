#!/bin/sh
# Makes the secrets of compose.yaml, once each: what is there stays.
set -eu
cd "$(dirname "$0")"
project=${WEIR_PROJECT:-project}
# The project belongs to whoever calls, and weir's user reads it; .weir is where the volume
# of weir's own is mounted, in a file system that is read-only.
umask 022
if [ ! -d "$project" ]; then
  mkdir -p "$project"
  [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$project"
fi
mkdir -p "$project/.weir"
umask 077
mkdir -p secrets
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
make() { [ -s "secrets/$1" ] || printf %s "$2" >"secrets/$1"; }
make postgres_password "$(random 24)"
make minio_root_user "root$(random 6)"
make minio_root_password "$(random 24)"
make s3_access_key "weir$(random 8)"
make s3_secret_key "$(random 24)"
make worker_config "$(printf 'lake: {endpoint: "http://minio:9000", bucket: weir, region: us-east-1, path_style: true, access_key: "%s", secret_key: "%s"}\n' \
  "$(cat secrets/s3_access_key)" "$(cat secrets/s3_secret_key)")"
# Compose mounts these files as they are, and each program reads them as a user of its
# own; the folder keeps other people of this host out.
chmod 700 secrets
chmod 444 secrets/*
if [ "$(id -u)" = 0 ]; then
  chown 9999 secrets/worker_config # the task managers' user: the worker refuses a file that others may read
  chmod 400 secrets/worker_config
else
  echo "weir: run this as root once, so that secrets/worker_config belongs to the task managers' user (9999)" >&2
fi
