"""Reads every table at the snapshot that ops.runs pins, with DuckDB only.

usage: read_duckdb.py CATALOG.db CONNECTION.json
Prints one JSON object: table name to its rows as text.
"""

import importlib.util
import json
import pathlib
import sqlite3
import sys

import duckdb

path, connection = sys.argv[1], json.load(open(sys.argv[2]))
db = duckdb.connect()
for extension in ("httpfs", "avro", "iceberg"):  # avro before iceberg
    home = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{extension}").origin).parent
    db.execute(f"load '{next(home.glob('extensions/*/*.duckdb_extension'))}'")
db.execute(
    "create secret (type s3, key_id $key, secret $secret, region $region, endpoint $endpoint, url_style 'path', use_ssl false)".replace(
        "$key", f"'{connection['access_key']}'"
    )
    .replace("$secret", f"'{connection['secret_key']}'")
    .replace("$region", f"'{connection['region']}'")
    .replace("$endpoint", "'" + connection["endpoint"].removeprefix("http://") + "'")
)

# Where each table's metadata is now. A REST catalog says the same.
catalog = sqlite3.connect(path)
metadata = {
    f"{namespace}.{name}": location
    for namespace, name, location in catalog.execute(
        "select table_namespace, table_name, metadata_location from iceberg_tables where catalog_name = 'weir'"
    )
}


def text(value):
    """One spelling of a value for both readers' output."""
    if isinstance(value, dict):
        return {str(k): text(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [text(v) for v in value]
    return None if value is None else str(value)


def rows(sql):
    cursor = db.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


db.execute("set timezone = 'UTC'")
pins = {}
for run in rows(f"from iceberg_scan('{metadata['ops.runs']}') where status in ('done', 'unchanged', 'partial')"):
    for name, snapshot in run["snapshots"].items():
        pins.setdefault(name, set()).add(snapshot)

out = {}
for name, ids in pins.items():
    pinned = rows(
        f"from iceberg_snapshots('{metadata[name]}') where snapshot_id in ({','.join(map(str, ids))}) "
        "order by sequence_number desc limit 1"
    )[0]["snapshot_id"]
    out[name] = [
        {k: text(v) for k, v in row.items()}
        for row in rows(f"from iceberg_scan('{metadata[name]}', snapshot_from_id = {pinned}::ubigint)")
    ]
json.dump(out, sys.stdout)
