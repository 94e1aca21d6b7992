package object

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/weir-cdp/weir"
)

// CredentialVariables are the environment variables by which a machine, a pod or a
// person gives credentials to a Config without keys, as AWS's own programs read them.
var CredentialVariables = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE",
	"AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_REGION",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}

// metadataWait bounds a question to the machine's metadata service: where there is
// none, nobody answers.
const metadataWait = 2 * time.Second

// credentialsOf are the keys of the configuration, or else those that the machine
// has: from AWS's variables, its file, the pod's, container's or machine's role, in
// this order. Those that expire are fetched anew before they do.
func credentialsOf(c Config) *credentials.Credentials {
	if c.AccessKey != "" || c.SecretKey != "" {
		return credentials.NewStaticV4(c.AccessKey, c.SecretKey, c.SessionToken)
	}
	if c.Anonymous {
		return credentials.NewStaticV4("", "", "")
	}
	return credentials.New(&machine{Chain: credentials.Chain{Providers: []credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.FileAWSCredentials{},
		&credentials.IAM{Client: &http.Client{Timeout: metadataWait}},
	}}})
}

// machine is a chain that does not go on without credentials.
type machine struct{ credentials.Chain }

// RetrieveWithCredContext implements credentials.Provider.
func (m *machine) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	v, err := m.Chain.RetrieveWithCredContext(cc)
	if err == nil && v.AccessKeyID == "" {
		err = weir.Errorf(weir.Denied, "there are no credentials for the object store").
			Then("set lake.access_key and lake.secret_key in weir.yaml, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role")
	}
	return v, err
}

// Retrieve implements credentials.Provider.
func (m *machine) Retrieve() (credentials.Value, error) { return m.RetrieveWithCredContext(nil) }

// trusting makes a transport trust the certificates of a file, beside the system's.
func trusting(t *http.Transport, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return weir.Errorf(weir.Invalid, "the object store's certificates can't be read: %w", err).Then("correct lake.ca in weir.yaml")
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return weir.Errorf(weir.Invalid, "there is no certificate in the file").At(file).Then("lake.ca names a file of certificates in PEM")
	}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	return nil
}
