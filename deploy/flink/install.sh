#!/bin/sh
# Fetches Flink and Beam's job server into a folder: DIR/flink and DIR/beam, jars that are
# pinned here and in pom.xml. Asks the Maven and Python registries that mvn and pip are
# configured for. Run again, it goes on where it stopped.
set -eu
flink=1.19.3
[ $# = 1 ] || { echo "usage: install.sh DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
missing=""
command -v java >/dev/null && command -v javac >/dev/null || missing="$missing a JDK 17 (openjdk-17-jdk-headless),"
command -v mvn >/dev/null || missing="$missing Maven (maven),"
command -v python3 >/dev/null || missing="$missing python3 with venv and pip (python3-venv),"
[ -z "$missing" ] || { echo "weir: install${missing%,}" >&2; exit 1; }

digest=$(cksum <"$here/pom.xml" | tr ' ' -)
if [ "$(cat beam/.complete 2>/dev/null)" != "$digest" ]; then
  rm -rf beam.new && mvn -B -q -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$PWD/beam.new" -DincludeScope=runtime
  # Flink's own jars come from Flink: two versions of a class would hide one another.
  rm -f beam.new/flink-*.jar beam.new/log4j-*.jar beam.new/slf4j-*.jar
  echo "$digest" >beam.new/.complete
  rm -rf beam && mv beam.new beam
fi
if [ "$(cat flink/.complete 2>/dev/null)" != "$flink" ]; then
  # The distribution for Python is the only one in a registry; its jars are the same.
  rm -rf python flink.new && python3 -m venv python
  python/bin/pip install -q --no-deps --no-compile "apache-flink-libraries==$flink"
  mkdir flink.new && mv python/lib/python3*/site-packages/pyflink/lib/*.jar flink.new/
  rm -rf python
  echo "$flink" >flink.new/.complete
  rm -rf flink && mv flink.new flink
fi
