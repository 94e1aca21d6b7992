package project

import (
	"go.yaml.in/yaml/v3"
)

// Lake is where the tables are; without an endpoint the embedded store.
type Lake struct {
	Endpoint  string `json:"endpoint"`
	Bucket    string `json:"bucket"`
	Prefix    string `json:"prefix"`
	Region    string `json:"region"`
	PathStyle bool   `json:"path_style"`
	// The keys and the session's token are references. Without keys they come from
	// the machine: AWS's environment variables, its file of credentials, its role.
	AccessKey    string  `json:"access_key"`
	SecretKey    string  `json:"secret_key"`
	SessionToken string  `json:"session_token,omitempty"`
	CA           string  `json:"ca,omitempty"` // a file of certificates to trust, beside the system's
	Catalog      Catalog `json:"catalog"`
}

// Catalog is the Iceberg catalog.
type Catalog struct {
	Type  string `json:"type"` // "" (embedded SQLite) or rest
	URI   string `json:"uri"`
	Token string `json:"token"` // a reference
	// Credential is "id:secret" for OAuth2's client credentials, a reference; Scope
	// and OAuth2URI (the token endpoint, if it is not the catalog's) go with it.
	Credential string `json:"credential,omitempty"`
	Scope      string `json:"scope,omitempty"`
	OAuth2URI  string `json:"oauth2_uri,omitempty"`
	Warehouse  string `json:"warehouse,omitempty"`
	// Namespace is above those of the workspaces: the tables are NAMESPACE.WORKSPACE.*.
	Namespace string `json:"namespace,omitempty"`
	CA        string `json:"ca,omitempty"`
}

// Temporal is the Temporal service; without an address the embedded one.
type Temporal struct {
	Address   string `json:"address"`
	Namespace string `json:"namespace"`
	TLS       bool   `json:"tls"`
	// Trust says how, beyond the system's certificates.
	Trust  TLS    `json:"trust,omitzero"`
	APIKey string `json:"api_key"` // a reference
}

// TLS are files and the name for a connection.
type TLS struct {
	CA         string `json:"ca,omitempty"`   // certificates to trust in place of the system's
	Cert       string `json:"cert,omitempty"` // this client's certificate
	Key        string `json:"key,omitempty"`  // and its key
	ServerName string `json:"server_name,omitempty"`
}

// secret reads a text that has to be a reference: weir.yaml is kept with the definitions.
func (r *reader) secret(key string, into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.text(into)(n)
		if *into != "" && !IsReference(*into) {
			r.problem(n, "write ${env:NAME} or ${file:PATH}", "%s must be a reference to a secret", key)
		}
	}
}

func readLake(r *reader, n *yaml.Node, k *Lake) {
	c := &k.Catalog
	r.object(n, keys{
		"endpoint": r.text(&k.Endpoint), "bucket": r.text(&k.Bucket), "prefix": r.text(&k.Prefix), "region": r.text(&k.Region),
		"path_style": r.boolean(&k.PathStyle), "access_key": r.secret("lake.access_key", &k.AccessKey), "secret_key": r.secret("lake.secret_key", &k.SecretKey),
		"session_token": r.secret("lake.session_token", &k.SessionToken), "ca": r.text(&k.CA),
		"catalog": func(n *yaml.Node) {
			r.object(n, keys{"type": r.oneOf(&c.Type, "rest"), "uri": r.text(&c.URI), "token": r.secret("lake.catalog.token", &c.Token),
				"credential": r.secret("lake.catalog.credential", &c.Credential), "scope": r.text(&c.Scope), "oauth2_uri": r.text(&c.OAuth2URI),
				"warehouse": r.text(&c.Warehouse), "namespace": r.text(&c.Namespace), "ca": r.text(&c.CA)})
			checkCatalog(r, n, c)
		},
	})
	switch {
	case k.Endpoint == "" && (c.Type != "" || c.URI != ""):
		r.problem(n, "add endpoint and bucket, or leave out catalog", "a catalog needs an object store of its own")
	case k.Endpoint != "" && k.Bucket == "":
		r.problem(n, "add bucket: NAME", "a lake with an endpoint needs a bucket")
	}
	if (k.AccessKey == "") != (k.SecretKey == "") {
		r.problem(n, "give both, or none for those of the machine", "of lake.access_key and lake.secret_key one is missing")
	}
	if k.SessionToken != "" && k.AccessKey == "" {
		r.problem(n, "leave it out: the machine's credentials bring theirs", "lake.session_token goes with access_key and secret_key")
	}
}

func checkCatalog(r *reader, n *yaml.Node, c *Catalog) {
	if c.URI != "" && c.Type == "" {
		r.problem(n, "add type: rest", "the catalog has a uri and no type")
	}
	if c.Type == "rest" && c.URI == "" {
		r.problem(n, "add uri: https://…", "a rest catalog needs a uri")
	}
	if c.Token != "" && c.Credential != "" {
		r.problem(n, "keep one of them", "a catalog takes a token or a credential")
	}
	if c.Credential == "" && (c.Scope != "" || c.OAuth2URI != "") {
		r.problem(n, "add credential: \"${env:NAME}\", whose value is id:secret", "scope and oauth2_uri go with a credential")
	}
}

func readTemporal(r *reader, n *yaml.Node, t *Temporal) {
	r.object(n, keys{"address": r.text(&t.Address), "namespace": r.text(&t.Namespace), "api_key": r.secret("temporal.api_key", &t.APIKey), "tls": func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			r.boolean(&t.TLS)(n)
			return
		}
		x := &t.Trust
		t.TLS = true
		r.object(n, keys{"ca": r.text(&x.CA), "cert": r.text(&x.Cert), "key": r.text(&x.Key), "server_name": r.text(&x.ServerName)})
		if (x.Cert == "") != (x.Key == "") {
			r.problem(n, "give both files", "a client's certificate goes with its key: cert and key")
		}
	}})
}
