# Flink with Beam on its class path, so that no job sends 150 MB of jars, and Beam's job
# server in the same image. The jars are those of deploy/flink, which the tests run.
#
#   docker build -f deploy/docker/flink.Dockerfile -t registry.example.com/weir-flink:1.19.3-1 .
FROM maven:3.9.9-eclipse-temurin-17 AS beam
WORKDIR /src
COPY deploy/flink/pom.xml deploy/flink/JobServer.java ./
# Flink's own jars come from Flink: two versions of a class would hide one another.
RUN --mount=type=cache,target=/cache \
    mvn -B -q -Dmaven.repo.local=/cache dependency:copy-dependencies -DoutputDirectory=/beam -DincludeScope=runtime \
 && mkdir /job-server && javac -cp '/beam/*' -d /job-server JobServer.java \
 && rm -f /beam/flink-*.jar /beam/log4j-*.jar /beam/slf4j-*.jar

FROM flink:1.19.3-scala_2.12-java17
COPY --from=beam /beam /opt/flink/lib/beam
COPY --from=beam /job-server /opt/job-server
USER 9999:9999
ENTRYPOINT []
CMD ["/opt/flink/bin/jobmanager.sh", "start-foreground"]
