"""Reads every table at the snapshot that ops.runs pins, with PyIceberg only.

usage: read_pyiceberg.py CATALOG.db CONNECTION.json
Prints one JSON object: table name to its rows as text.
"""

import json
import sys

from pyiceberg.catalog.sql import SqlCatalog

path, connection = sys.argv[1], json.load(open(sys.argv[2]))
catalog = SqlCatalog(
    "weir",  # the catalog's name in Weir's SQLite file
    **{
        "uri": f"sqlite:///{path}",
        "s3.endpoint": connection["endpoint"],
        "s3.region": connection["region"],
        "s3.access-key-id": connection["access_key"],
        "s3.secret-access-key": connection["secret_key"],
        "s3.force-virtual-addressing": "false",
    },
)


def text(value):
    """One spelling of a value for both readers' output."""
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        value = dict(value)
    if isinstance(value, dict):
        return {str(k): text(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [text(v) for v in value]
    return None if value is None else str(value)


# The pins: of the snapshots that finished runs name, each table's latest by the
# table's own sequence number.
pins = {}
for run in catalog.load_table("ops.runs").scan().to_arrow().to_pylist():
    if run["status"] in ("done", "unchanged", "partial"):
        for name, snapshot in run["snapshots"]:
            pins.setdefault(name, set()).add(snapshot)

out = {}
for name, ids in pins.items():
    table = catalog.load_table(name)
    kept = [s for s in map(table.snapshot_by_id, ids) if s is not None]
    pinned = max(kept, key=lambda s: s.sequence_number)
    rows = table.scan(snapshot_id=pinned.snapshot_id).to_arrow().to_pylist()
    out[name] = [{k: text(v) for k, v in row.items()} for row in rows]
json.dump(out, sys.stdout)
