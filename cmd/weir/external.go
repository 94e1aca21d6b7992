package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/workflows"
)

// inProject is a file that weir.yaml names, relative to the project's directory.
func (a *app) inProject(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.dir, name)
}

// lakeConfig is the lake of weir.yaml, or the embedded one.
func (pl *platform) lakeConfig() (lakehouse.Config, error) {
	if pl.project.Lake.Endpoint == "" {
		return lakehouse.Config{Object: pl.ends.Lake, Catalog: lakehouse.CatalogConfig{Type: "sqlite", Path: pl.ends.Catalog}}, nil
	}
	return pl.app.externalLake(pl.project)
}

// externalLake is the lake of weir.yaml. Each workspace has its own prefix in the
// bucket, and its own namespace in the catalog.
func (a *app) externalLake(p *project.Project) (lakehouse.Config, error) {
	k := p.Lake
	secrets := project.Resolver{Dir: a.dir}
	var err error
	text := func(s string) string {
		v, e := secrets.Text(s)
		err = errors.Join(err, e)
		return v
	}
	endpoint := text(k.Endpoint)
	host, secure := strings.CutPrefix(endpoint, "https://")
	host = strings.TrimPrefix(host, "http://")
	c := lakehouse.Config{Object: object.Config{Endpoint: host, Secure: secure, Bucket: k.Bucket, Prefix: strings.Trim(k.Prefix+"/"+p.Name, "/"),
		Region: k.Region, PathStyle: k.PathStyle, AccessKey: text(k.AccessKey), SecretKey: text(k.SecretKey), SessionToken: text(k.SessionToken), CA: a.inProject(k.CA)}}
	if x := k.Catalog; x.Type == "rest" {
		c.Namespace = strings.Trim(x.Namespace+"."+p.Name, ".")
		c.Catalog = lakehouse.CatalogConfig{Type: "rest", URI: text(x.URI), Token: text(x.Token), Credential: text(x.Credential), Scope: x.Scope,
			TokenURI: text(x.OAuth2URI), Warehouse: text(x.Warehouse), CA: a.inProject(x.CA)}
	} else {
		c.Catalog = lakehouse.CatalogConfig{Type: "sqlite", Path: filepath.Join(a.dir, ".weir", "catalog.db")}
		err = errors.Join(err, os.MkdirAll(filepath.Dir(c.Catalog.Path), 0o700))
	}
	return c, err
}

// dial connects to the Temporal of weir.yaml, or the embedded one.
func (pl *platform) dial(ctx context.Context) (client.Client, error) {
	if pl.project.Temporal.Address == "" {
		c, err := pl.ends.Dial(ctx, pl.app.log)
		if err == nil {
			pl.closers = append(pl.closers, func() error { c.Close(); return nil })
		}
		return c, err
	}
	o, err := pl.app.externalTemporal(pl.project)
	if err != nil {
		return nil, err
	}
	o.Identity = pl.identity
	c, err := workflows.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	pl.closers = append(pl.closers, func() error { c.Close(); return nil })
	return c, nil
}

// externalTemporal says how the Temporal of weir.yaml is reached.
func (a *app) externalTemporal(p *project.Project) (client.Options, error) {
	t := p.Temporal
	var o client.Options
	secrets := project.Resolver{Dir: a.dir}
	address, err := secrets.Text(t.Address)
	if err != nil {
		return o, err
	}
	key, err := secrets.Text(t.APIKey)
	if err != nil {
		return o, err
	}
	o = client.Options{HostPort: address, Namespace: t.Namespace, Logger: embedded.SDKLog(a.log)}
	if t.TLS {
		if o.ConnectionOptions.TLS, err = a.trust(t.Trust); err != nil {
			return o, err
		}
	}
	if key != "" {
		// A key makes the client speak TLS, but to a server on this machine, which
		// nobody listens to on the way: another weir dev, say.
		o.Credentials, o.ConnectionOptions.TLSDisabled = client.NewAPIKeyStaticCredentials(key), !t.TLS && loopbackAddress(address)
	}
	return o, nil
}

// trust reads the files of temporal.tls.
func (a *app) trust(t project.TLS) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(a.inProject(t.CA))
		if err != nil {
			return nil, weir.Errorf(weir.Invalid, "Temporal's certificates can't be read: %w", err).Then("correct temporal.tls.ca in weir.yaml")
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, weir.Errorf(weir.Invalid, "there is no certificate in %s", t.CA).Then("temporal.tls.ca names a file of certificates in PEM")
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(a.inProject(t.Cert), a.inProject(t.Key))
		if err != nil {
			return nil, weir.Errorf(weir.Invalid, "the client's certificate for Temporal can't be used: %w", err).Then("correct temporal.tls.cert and temporal.tls.key in weir.yaml")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func loopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
