package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// brokenManifests are changes of one place each, and what must be said about it.
var brokenManifests = []struct{ name, file, old, new, want string }{
	{"unknown field", "base/worker.yaml", "  replicas: 2\n", "  replica: 2\n", "replica"},
	{"field in other letters", "base/worker.yaml", "  replicas: 2\n", "  Replicas: 2\n", "Replicas"},
	{"field of another type", "base/worker.yaml", "  replicas: 2\n", "  replicas: two\n", "replicas"},
	{"unknown kind", "base/flink-jobmanager.yaml", "kind: Service\n", "kind: Servise\n", "Servise"},
	{"kustomization with an unknown key", "overlays/example/kustomization.yaml", "images:\n", "image:\n", "image"},
	{"missing file", "overlays/example/kustomization.yaml", "  - outside.yaml\n", "  - inside.yaml\n", "inside.yaml"},
	{"selector", "base/job-server.yaml", "    matchLabels: {app.kubernetes.io/name: weir-job-server}", "    matchLabels: {app.kubernetes.io/name: weir-jobs}", "does not take its own pods"},
	{"selector of two", "base/worker.yaml", "    matchLabels: {app.kubernetes.io/name: weir-control}", "    matchLabels: {weir.dev/role: worker}", "another deployment's pods"},
	{"service", "base/job-server.yaml", "  selector: {app.kubernetes.io/name: weir-job-server}", "  selector: {app.kubernetes.io/name: weir-jobs}", "selects no pod"},
	{"service port", "base/job-server.yaml", "targetPort: jobs", "targetPort: job", "leads to job"},
	{"probe port", "base/flink-jobmanager.yaml", "livenessProbe: {tcpSocket: {port: rpc}", "livenessProbe: {tcpSocket: {port: rcp}", "asks port rcp"},
	{"no probe", "base/worker.yaml", "          livenessProbe: ", "          # livenessProbe: ", "no liveness probe"},
	{"secret key", "base/worker.yaml", "key: s3-access-key", "key: s3-acces-key", "s3-acces-key"},
	{"secret", "base/worker.yaml", "- secretRef: {name: weir-project-secrets", "- secretRef: {name: weir-sources", "weir-sources"},
	{"secret with a value", "overlays/example/secrets.example.yaml", "s3-secret-key: \"\"", "s3-secret-key: \"hunter2\"", "has a value"},
	{"secret in the environment", "base/worker.yaml", "- {name: HOME, value: /tmp}", "- {name: S3_SECRET, value: hunter2}", "has its value in the manifest"},
	{"config map", "base/job-server.yaml", "configMap: {name: weir-flink}", "configMap: {name: weir-flunk}", "no config map"},
	{"root", "base/worker.yaml", "runAsUser: 65532", "runAsUser: 0", "may run as root"},
	{"not said", "base/worker.yaml", "        runAsNonRoot: true\n", "", "may run as root"},
	{"seccomp", "base/worker.yaml", "        seccompProfile: {type: RuntimeDefault}\n", "", "seccomp"},
	{"token", "base/worker.yaml", "      automountServiceAccountToken: false\n", "", "service account"},
	{"root file system", "base/worker.yaml", "            readOnlyRootFilesystem: true\n", "", "its own files"},
	{"privileges", "base/worker.yaml", "            allowPrivilegeEscalation: false\n", "", "gain privileges"},
	{"capabilities", "base/worker.yaml", "capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL], add: [NET_ADMIN]}", "keeps capabilities"},
	{"memory", "base/worker.yaml", "limits: {memory: 2Gi}", "limits: {cpu: \"2\"}", "no limit of memory"},
	{"mount", "base/worker.yaml", "- {name: tmp, mountPath: /tmp}", "- {name: temp, mountPath: /tmp}", "mounts temp"},
	{"host path", "base/worker.yaml", "          emptyDir: {sizeLimit: 10Gi}", "          hostPath: {path: /tmp}", "the node's own"},
	{"latest", "overlays/example/kustomization.yaml", "newTag: 0.1.0", "newTag: latest", "no tag that stays"},
	{"no tag", "overlays/example/kustomization.yaml", "  - {name: weir-flink, newName: registry.example.com/weir-flink, newTag: 1.19.3-1}\n", "", "no tag that stays"},
	{"budget", "base/flink-taskmanager.yaml", "  maxUnavailable: 1\n  selector:\n    matchLabels: {app.kubernetes.io/name: weir-taskmanager}", "  maxUnavailable: 1\n  selector:\n    matchLabels: {app.kubernetes.io/name: weir-task}", "budget"},
	{"no default deny", "base/network.yaml", "  podSelector: {}\n  policyTypes: [Ingress, Egress]", "  podSelector: {matchLabels: {weir.dev/role: worker}}\n  policyTypes: [Ingress, Egress]", "denies"},
	{"a flow that is missing", "base/network.yaml", "ports: [{port: 6122}, {port: 6121}]", "ports: [{port: 6121}]", "can't reach, and must: weir-jobmanager weir-taskmanager 6122"},
	{"a flow on one side only", "base/network.yaml", "      ports: [{port: 8099}, {port: 8098}]\n  egress:", "      ports: [{port: 8099}]\n  egress:", "weir-job-server 8098"},
	{"a flow too many", "base/flink-taskmanager.yaml", "      labels: {app.kubernetes.io/name: weir-taskmanager}\n    spec:", "      labels: {app.kubernetes.io/name: weir-taskmanager, weir.dev/role: worker}\n    spec:", "can reach, and must not: weir-taskmanager weir-job-server 8099"},
	{"open to the outside", "base/network.yaml", "    - from:\n        - podSelector: {matchLabels: {weir.dev/role: worker}}\n      ports: [{port: 8099}", "    - from:\n        - ipBlock: {cidr: 0.0.0.0/0}\n      ports: [{port: 8099}", "can be reached from outside"},
	{"no names", "base/network.yaml", "kubernetes.io/metadata.name: kube-system", "kubernetes.io/metadata.name: kube-dns", "resolve names"},
	{"no store", "overlays/example/outside.yaml", "        - {port: 443, protocol: TCP} # the object store alone", "        - {port: 80, protocol: TCP}", "weir-taskmanager, outside, port 443"},
	{"too much outside", "overlays/example/outside.yaml", "  podSelector: {matchLabels: {weir.dev/role: worker}}", "  podSelector: {}", "outside, port 7233"},
	{"metadata", "overlays/example/outside.yaml", ", except: [169.254.0.0/16]", "", "metadata"},
	{"flink port", "base/flink/flink-conf.yaml", "rest.port: 8081", "rest.port: 8082", "rest.port"},
	{"flink name", "base/flink/flink-conf.yaml", "rest.address: weir-jobmanager", "rest.address: jobmanager", "rest.address"},
	{"parallelism", "overlays/example/weir.yaml", "parallelism: 4", "parallelism: 5", "would wait for ever"},
	{"job service", "overlays/example/weir.yaml", "weir-job-server:8099", "weir-job-server:8098x", "weir-job-server:8098x"},
	{"rest", "overlays/example/weir.yaml", "http://weir-jobmanager:8081", "http://weir-jobmanager:8082", "weir-jobmanager:8082"},
	{"flink memory", "base/flink/flink-conf.yaml", "numberOfTaskSlots: 1", "numberOfTaskSlots: 2", "2 slots"},
}

func TestBrokenManifestsAreFound(t *testing.T) {
	for _, b := range brokenManifests {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			deploy := broken(t, "kubernetes", b.file, b.old, b.new)
			c, err := cluster(deploy)
			said := ""
			if err != nil {
				said = err.Error()
			} else {
				said = strings.Join(append(c.Problems(), runner(t, deploy, c)...), "\n")
			}
			if !strings.Contains(said, b.want) {
				t.Errorf("said %q, not %q", said, b.want)
			}
		})
	}
}

var brokenCompose = []struct{ name, file, old, new, want string }{
	{"unknown key", "compose.yaml", "    command: [server, /data]", "    comand: [server, /data]", "comand"},
	{"latest", "compose.yaml", "image: minio/minio:RELEASE.2025-09-07T16-13-09Z", "image: minio/minio", "no tag that stays"},
	{"open port", "compose.yaml", `"127.0.0.1:18233:8080"`, `"18233:8080"`, "open to the network"},
	{"password", "compose.yaml", "POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password", "POSTGRES_PASSWORD: temporal", "has its value in the file"},
	{"unknown secret", "compose.yaml", "secrets: [postgres_password]", "secrets: [postgres_pasword]", "postgres_pasword"},
	{"secret that nobody makes", "setup.sh", "make worker_config ", "maked worker_config ", "setup.sh does not make it"},
	{"secret that nobody reads", "setup.sh", "make s3_access_key ", "make other_key x\nmake s3_access_key ", "nothing reads it"},
	{"no health check", "compose.yaml", "    healthcheck: {test: [CMD, mc, ready, local], interval: 5s, timeout: 3s, retries: 20}\n", "", "has no health check"},
	{"unknown dependency", "compose.yaml", "depends_on: {postgres: {condition: service_healthy}}", "depends_on: {postgresql: {condition: service_healthy}}", "postgresql"},
	{"only started", "compose.yaml", "depends_on: {postgres: {condition: service_healthy}}", "depends_on: {postgres: {condition: service_started}}", "waits only for the start"},
	{"capabilities", "compose.yaml", "  cap_drop: [ALL]\n", "", "keeps capabilities"},
	{"two kinds of network", "compose.yaml", "    networks: []\n    network_mode: none\n", "    network_mode: none\n", "network"},
	{"volume of root's", "compose.yaml", ", data-folders: {condition: service_completed_successfully}}\n    # It listens", "}\n    # It listens", "gives it volume job-server-tmp"},
	{"unknown volume", "compose.yaml", `volumes: ["minio:/data"]`, `volumes: ["miniodata:/data"]`, "miniodata"},
}

func TestBrokenComposeFilesAreFound(t *testing.T) {
	for _, b := range brokenCompose {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			problems, err := Compose(t.Context(), filepath.Join(broken(t, "compose", b.file, b.old, b.new), "compose", "compose.yaml"))
			said := strings.Join(problems, "\n")
			if err != nil {
				said = err.Error()
			}
			if !strings.Contains(said, b.want) {
				t.Errorf("said %q, not %q", said, b.want)
			}
		})
	}
}

var brokenDockerfiles = []struct{ name, old, new, want string }{
	{"unknown instruction", "WORKDIR /src", "WORKDIRECTORY /src", "WORKDIRECTORY"},
	{"root", "USER 65532:65532", "USER root", "not root"},
	{"no user", "USER 65532:65532\n", "", "not root"},
	{"latest", "FROM debian:12.11-slim", "FROM debian:latest", "no tag that stays"},
	{"unknown stage", "COPY --from=build", "COPY --from=builder", "builder"},
	{"secret", "ENV HOME=/tmp", "ENV S3_SECRET=x", "S3_SECRET"},
	{"file that is not there", "COPY go.mod go.sum ./", "COPY go.mod go.sums ./", "go.sums"},
	{"fetched", "COPY . .", "ADD https://example.com/x .", "ADD"},
}

func TestBrokenDockerfilesAreFound(t *testing.T) {
	for _, b := range brokenDockerfiles {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			problems, err := Dockerfile(filepath.Join(broken(t, "docker", "Dockerfile", b.old, b.new), "docker", "Dockerfile"), "../..")
			said := strings.Join(problems, "\n")
			if err != nil {
				said = err.Error()
			}
			if !strings.Contains(said, b.want) {
				t.Errorf("said %q, not %q", said, b.want)
			}
		})
	}
}

// broken copies a folder of deploy/, changes one place of it and returns the copy's
// parent.
func broken(t *testing.T, folder, file, old, changed string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join("..", folder))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, folder, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q to break", file, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, changed, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
