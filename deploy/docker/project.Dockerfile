# A project as an image, built by whatever tests the project (weir plan, weir policy
# test): what runs is then a tag that someone approved, and an old one can be put back.
#
#   docker build -f project.Dockerfile -t registry.example.com/weir-project:42 PROJECT
FROM busybox:1.37.0
COPY --chown=65532:65532 . /project
USER 65532:65532
CMD ["true"]
