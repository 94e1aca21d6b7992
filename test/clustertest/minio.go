package clustertest

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/weir-cdp/weir/lakehouse/object"
)

// MinIO is an S3 service.
type MinIO struct {
	*Part
	URL       string // http://host:port
	AccessKey string
	SecretKey string
}

// StartMinIO starts one with these buckets, its data in a folder of the test's.
func StartMinIO(t testing.TB, buckets ...string) *MinIO {
	t.Helper()
	bin, dir, address := cached(t, "bin/minio"), t.TempDir(), freeAddress(t)
	m := &MinIO{URL: "http://" + address, AccessKey: "weir-of-tests", SecretKey: "secret-of-tests"}
	m.Part = begin(t, &Part{name: "MinIO", ready: answers(m.URL + "/minio/health/ready"), make: func() *exec.Cmd {
		cmd := exec.Command(bin, "server", "--quiet", "--address", address, filepath.Join(dir, "data"))
		cmd.Dir = dir
		cmd.Env = withEnv("MINIO_ROOT_USER="+m.AccessKey, "MINIO_ROOT_PASSWORD="+m.SecretKey, "MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+dir)
		return cmd
	}})
	for _, b := range buckets {
		if err := object.CreateBucket(t.Context(), m.Config(b, "")); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// Config reaches a bucket with the service's own keys.
func (m *MinIO) Config(bucket, prefix string) object.Config {
	return object.Config{Endpoint: m.URL, Bucket: bucket, Prefix: prefix, AccessKey: m.AccessKey, SecretKey: m.SecretKey, PathStyle: true}
}

// ReadOnly gives keys with a session token that may read a bucket and nothing else.
func (m *MinIO) ReadOnly(t testing.TB, bucket string) credentials.Value {
	t.Helper()
	return m.session(t, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
		"Resource": ["arn:aws:s3:::`+bucket+`", "arn:aws:s3:::`+bucket+`/*"]}]}`)
}

// Session gives keys with a session token that may do all.
func (m *MinIO) Session(t testing.TB) credentials.Value {
	t.Helper()
	return m.session(t, "")
}

func (m *MinIO) session(t testing.TB, policy string) credentials.Value {
	t.Helper()
	c, err := credentials.NewSTSAssumeRole(m.URL, credentials.STSAssumeRoleOptions{AccessKey: m.AccessKey, SecretKey: m.SecretKey,
		Policy: policy, DurationSeconds: int(time.Hour.Seconds())})
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.GetWithContext(nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Objects counts the files that MinIO keeps below a folder of a bucket: what a run
// left there.
func (m *MinIO) Objects(t testing.TB, bucket, prefix string) []string {
	t.Helper()
	s, err := object.Open(t.Context(), m.Config(bucket, ""))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for o, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}
