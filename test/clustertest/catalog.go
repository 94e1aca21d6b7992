package clustertest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Catalog is Apache Iceberg's own REST catalog, with SQLite behind it and its
// metadata in MinIO.
type Catalog struct {
	*Part
	URI string
}

// StartCatalog starts one whose warehouse is a bucket of MinIO's.
func StartCatalog(t testing.TB, store *MinIO, bucket string) *Catalog {
	t.Helper()
	libs := cached(t, "iceberg-rest")
	java, err := exec.LookPath("java")
	if err != nil {
		missing(t, "there is no java: install a JRE of version 17, such as Debian's openjdk-17-jre-headless")
	}
	dir, address := t.TempDir(), freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	database := filepath.Join(dir, "catalog.db")
	c := &Catalog{URI: "http://" + address}
	c.Part = begin(t, &Part{name: "the REST catalog", ready: answers(c.URI + "/v1/config"), make: func() *exec.Cmd {
		cmd := exec.Command(java, "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
			"-cp", filepath.Join(libs, "*"), "org.apache.iceberg.rest.RESTCatalogServer")
		cmd.Dir = dir
		cmd.Env = withEnv("CATALOG_REST_PORT="+port,
			"CATALOG_CATALOG__IMPL=org.apache.iceberg.jdbc.JdbcCatalog", "CATALOG_URI=jdbc:sqlite:"+database+"?journal_mode=WAL&busy_timeout=20000",
			"CATALOG_JDBC_USER=u", "CATALOG_JDBC_PASSWORD=p",
			"CATALOG_WAREHOUSE=s3://"+bucket+"/", "CATALOG_IO__IMPL=org.apache.iceberg.aws.s3.S3FileIO",
			"CATALOG_S3_ENDPOINT="+store.URL, "CATALOG_S3_PATH__STYLE__ACCESS=true",
			"AWS_ACCESS_KEY_ID="+store.AccessKey, "AWS_SECRET_ACCESS_KEY="+store.SecretKey, "AWS_REGION=us-east-1")
		if _, err := os.Stat(database); err == nil {
			// Looking whether the tables are there, it leaves a query open on one of its
			// connections, which can then not write.
			cmd.Env = append(cmd.Env, "CATALOG_JDBC_INIT__CATALOG__TABLES=false")
		}
		return cmd
	}})
	return c
}
