package object

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/weir-cdp/weir"
)

// Config says where the bucket is and how to reach it.
type Config struct {
	Endpoint string // host:port, or a URL whose scheme then decides Secure
	Bucket   string
	Prefix   string // below which all keys live; "" is the whole bucket
	Region   string // "": us-east-1
	// Without keys they are the machine's: see CredentialVariables.
	AccessKey    string
	SecretKey    string
	SessionToken string `json:",omitempty"` // goes with keys that are lent for a time
	Anonymous    bool   `json:",omitempty"` // without keys: ask without any
	CA           string `json:",omitempty"` // a file of certificates to trust beside the system's; "": none
	PathStyle    bool   // http://host/bucket/key; else virtual host where the service is known for it
	Secure       bool   // TLS
	// LocalDir is where the embedded gateway keeps objects as plain files
	// (<LocalDir>/<Bucket>/<Prefix>/<key>); "" reads through S3.
	LocalDir string
	// Retries is how often one request is tried; 0: 8, some ten seconds.
	Retries int
}

// Info describes one object.
type Info struct {
	Key     string // relative to the store's prefix
	Size    int64  // bytes
	ETag    string
	ModTime time.Time
}

// Store is one bucket and prefix. It is safe for concurrent use.
type Store struct {
	client *minio.Client
	core   *minio.Core
	bucket string
	prefix string // "" or with a trailing slash
	local  string // <LocalDir>/<bucket>, or ""
	name   string // for messages
	stall  time.Duration
}

// Open reaches the bucket and fails with weir.NotFound where there is none,
// weir.Denied where the keys are refused and weir.Unavailable where nobody
// answers.
func Open(ctx context.Context, c Config) (*Store, error) {
	s, err := connect(c)
	if err != nil {
		return nil, err
	}
	ok, err := s.reach(ctx, openWait)
	if err != nil {
		return nil, s.failed("reach bucket", "", err)
	}
	if !ok {
		return nil, weir.Errorf(weir.NotFound, "there is no bucket %s", s.bucket).
			At(c.Endpoint).Then("create it, or correct lake.bucket in weir.yaml")
	}
	return s, nil
}

// stallWait is how long a body may send nothing, as long as its header may take.
const stallWait = time.Minute

// openWait bounds Open: one that accepts connections and says nothing would be asked
// for as long as all tries take, minutes.
const openWait = time.Minute

// reach asks whether the bucket is there, for at most a time.
func (s *Store) reach(ctx context.Context, most time.Duration) (bool, error) {
	short, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	ok, err := s.client.BucketExists(short, s.bucket)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		err = weir.Errorf(weir.Unavailable, "no answer within %s", most).Then("check lake.endpoint, that the object store runs, and the network in between")
	}
	return ok, err
}

// CreateBucket makes the configured bucket; one that is there is left as it is.
func CreateBucket(ctx context.Context, c Config) error {
	s, err := connect(c)
	if err != nil {
		return err
	}
	ok, err := s.client.BucketExists(ctx, s.bucket)
	if err == nil && !ok {
		err = s.client.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: c.Region})
	}
	switch minio.ToErrorResponse(err).Code {
	case "BucketAlreadyOwnedByYou", "BucketAlreadyExists":
		err = nil
	}
	if err != nil {
		return s.failed("create bucket", "", err)
	}
	return nil
}

func connect(c Config) (*Store, error) {
	host := c.Endpoint
	switch {
	case strings.HasPrefix(host, "http://"):
		host, c.Secure = strings.TrimPrefix(host, "http://"), false
	case strings.HasPrefix(host, "https://"):
		host, c.Secure = strings.TrimPrefix(host, "https://"), true
	}
	host = strings.TrimSuffix(host, "/")
	if host == "" || c.Bucket == "" {
		return nil, weir.Errorf(weir.Invalid, "an object store needs an endpoint and a bucket").
			Then("set lake.endpoint and lake.bucket in weir.yaml")
	}
	if strings.Contains(host, "@") { // not shown: it may hold a key
		return nil, weir.Errorf(weir.Invalid, "the object store's endpoint holds a user or a password").
			Then("give the address alone in lake.endpoint; keys belong into lake.access_key and lake.secret_key")
	}
	if err := s3utils.CheckValidBucketName(c.Bucket); err != nil {
		return nil, weir.Errorf(weir.Invalid, "there can't be a bucket %q: %w", c.Bucket, err).
			Then("correct lake.bucket in weir.yaml")
	}
	prefix := strings.Trim(c.Prefix, "/")
	if prefix != "" {
		if err := checkKey(prefix); err != nil {
			return nil, err
		}
		prefix += "/"
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Retries == 0 {
		c.Retries = 8
	}
	lookup := minio.BucketLookupAuto
	if c.PathStyle {
		lookup = minio.BucketLookupPath
	}
	trust := transport()
	if err := trusting(trust, c.CA); err != nil {
		return nil, err
	}
	client, err := minio.New(host, &minio.Options{
		Creds:        credentialsOf(c),
		Secure:       c.Secure,
		Region:       c.Region,
		BucketLookup: lookup,
		MaxRetries:   c.Retries,
		Transport:    trust,
	})
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the object store's endpoint %q can't be used: %w", c.Endpoint, err).
			Then("correct lake.endpoint in weir.yaml")
	}
	s := &Store{client: client, core: &minio.Core{Client: client}, bucket: c.Bucket, prefix: prefix, name: c.Endpoint, stall: stallWait}
	if c.LocalDir != "" {
		s.local = filepath.Join(c.LocalDir, c.Bucket)
	}
	return s, nil
}

// transport keeps enough idle connections for parallel column reads and gives
// up on a server that accepts but never answers.
func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.MaxIdleConns = 128
	t.ResponseHeaderTimeout = stallWait
	t.DisableCompression = true
	return t
}

// URL returns the object's address, s3://bucket/prefix/key.
func (s *Store) URL(key string) string { return "s3://" + s.bucket + "/" + s.prefix + key }

// Endpoint is where the store is, as its configuration says it.
func (s *Store) Endpoint() string { return s.name }

// Key is the reverse of URL; ok is false for an address outside this store.
func (s *Store) Key(url string) (key string, ok bool) {
	for _, scheme := range []string{"s3://", "s3a://", "s3n://"} {
		if k, found := strings.CutPrefix(url, scheme+s.bucket+"/"+s.prefix); found {
			return k, true
		}
	}
	return "", false
}

// LocalPath returns the plain file that holds the object, where objects are
// plain files on this machine. It says nothing about whether the object exists.
func (s *Store) LocalPath(key string) (path string, ok bool) {
	if s.local == "" || checkKey(key) != nil {
		return "", false
	}
	return filepath.Join(s.local, filepath.FromSlash(s.prefix+key)), true
}

// checkKey refuses what could leave the prefix or be read differently by
// different servers.
func checkKey(key string) error {
	bad := key == "" || strings.ContainsRune(key, 0) || strings.Contains(key, `\`) || len(key) > 900
	for _, part := range strings.Split(key, "/") {
		bad = bad || part == "" || part == "." || part == ".."
	}
	if bad {
		return weir.Errorf(weir.Invalid, "object key %q can't be used", key).
			Then("use a relative path without empty, . or .. parts, of at most 900 bytes")
	}
	return nil
}
