"""Reads every table at the snapshot that ops.runs pins, with Spark only.

usage: read_spark.py CATALOG.db CONNECTION.json
Prints one JSON object: table name to its rows as text. The jars of Iceberg, its
AWS bundle and SQLite's driver are looked for in WEIR_SPARK_JARS.
"""

import datetime
import glob
import json
import os
import sys

os.environ["TZ"] = "UTC"

from pyspark.sql import SparkSession

path, connection = sys.argv[1], json.load(open(sys.argv[2]))
# "weir" is the catalog's name in Weir's SQLite file, hence Spark's name for it too.
settings = {
    "spark.jars": ",".join(sorted(glob.glob(os.environ["WEIR_SPARK_JARS"] + "/*.jar"))),
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.weir": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.weir.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
    "spark.sql.catalog.weir.uri": f"jdbc:sqlite:{path}",
    "spark.sql.catalog.weir.warehouse": "s3://lake",
    "spark.sql.catalog.weir.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    "spark.sql.catalog.weir.s3.endpoint": connection["endpoint"],
    "spark.sql.catalog.weir.s3.path-style-access": "true",
    "spark.sql.catalog.weir.s3.access-key-id": connection["access_key"],
    "spark.sql.catalog.weir.s3.secret-access-key": connection["secret_key"],
    "spark.sql.catalog.weir.client.region": connection["region"],
}
builder = SparkSession.builder.master("local[2]")
for key, value in settings.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()


def text(value):
    """One spelling of a value for all readers' output."""
    if isinstance(value, dict):
        return {str(k): text(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [text(v) for v in value]
    if isinstance(value, datetime.datetime):
        value = value.replace(tzinfo=datetime.timezone.utc)
    return None if value is None else str(value)


# The pins: of the snapshots that finished runs name, each table's latest.
pins = {}
for run in spark.table("weir.ops.runs").collect():
    if run["status"] in ("done", "unchanged", "partial"):
        for name, snapshot in run["snapshots"].items():
            pins.setdefault(name, set()).add(snapshot)

out = {}
for name, ids in pins.items():
    kept = [s for s in spark.table(f"weir.{name}.snapshots").collect() if s["snapshot_id"] in ids]
    pinned = max(kept, key=lambda s: s["committed_at"])
    rows = spark.read.option("snapshot-id", pinned["snapshot_id"]).table(f"weir.{name}").collect()
    out[name] = [{k: text(v) for k, v in row.asDict(recursive=True).items()} for row in rows]
json.dump(out, sys.stdout)
spark.stop()
