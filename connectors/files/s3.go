package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// bucketFolder is a prefix of an S3 bucket. A version is an ETag, and reading
// asks for exactly that one.
type bucketFolder struct {
	client    *minio.Client
	transport *http.Transport
	bucket    string
	prefix    string // "" or "a/b/"
}

func openBucket(rest string, c connectors.Settings) (folder, error) {
	bucket, prefix, _ := strings.Cut(rest, "/")
	if bucket == "" {
		return nil, weir.Errorf(weir.Invalid, "path s3://%s names no bucket", rest).Then("write s3://bucket/prefix")
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	host, secure := "s3.amazonaws.com", true
	if e := c.String("endpoint"); e != "" {
		u, err := url.Parse(e)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" {
			return nil, weir.Errorf(weir.Invalid, "endpoint %q is not an address", e).Then("write it like https://s3.example.org")
		}
		host, secure = u.Host, u.Scheme == "https"
	}
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "%w", err)
	}
	lookup := minio.BucketLookupAuto
	if c.Bool("path_style") {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(host, &minio.Options{Creds: keys(c), Secure: secure, Region: c.String("region"),
		BucketLookup: lookup, Transport: transport})
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "%w", err).At("s3://" + bucket).Then("correct endpoint and region")
	}
	return &bucketFolder{client: client, transport: transport, bucket: bucket, prefix: prefix}, nil
}

func keys(c connectors.Settings) *credentials.Credentials {
	if c.String("access_key") != "" {
		return credentials.NewStaticV4(c.String("access_key"), c.String("secret_key"), "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{}})
}

func (b *bucketFolder) String() string { return "s3://" + b.bucket + "/" + b.prefix }

func (b *bucketFolder) close() error {
	b.transport.CloseIdleConnections()
	return nil
}

func (b *bucketFolder) explain(err error, file string) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	where := b.String() + file
	switch r := minio.ToErrorResponse(err); {
	case r.Code == "NoSuchBucket":
		return weir.Errorf(weir.NotFound, "the bucket does not exist").At(where).Then("create it, or correct `path`")
	case r.Code == "NoSuchKey" || r.StatusCode == http.StatusNotFound:
		return weir.Errorf(weir.NotFound, "does not exist").At(where).Then("sync again")
	case r.StatusCode == http.StatusPreconditionFailed:
		return changedSince(where)
	case r.StatusCode == http.StatusForbidden || r.StatusCode == http.StatusUnauthorized:
		return weir.Errorf(weir.Denied, "the service refuses the credentials (%s)", r.Code).At(where).
			Then("check access_key, secret_key and what they may do")
	case r.StatusCode == http.StatusMovedPermanently || r.Code == "AuthorizationHeaderMalformed":
		return weir.Errorf(weir.Invalid, "the bucket is in another region").At(where).Then("correct `region`")
	}
	return weir.Errorf(weir.Unavailable, "the service does not answer as it should: %w", err).At(where).
		Then("check endpoint, path_style and the network")
}

func (b *bucketFolder) check(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o, ok := <-b.client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix, MaxKeys: 1}); ok && o.Err != nil {
		return b.explain(o.Err, "")
	}
	return nil
}

func (b *bucketFolder) list(ctx context.Context, dir string) ([]fileInfo, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	prefix := b.prefix
	if dir != "" && dir != "." {
		prefix += dir + "/"
	}
	var out []fileInfo
	for o := range b.client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, b.explain(o.Err, "")
		}
		if !strings.HasSuffix(o.Key, "/") {
			out = append(out, fileInfo{path: strings.TrimPrefix(o.Key, b.prefix), size: o.Size, version: strings.Trim(o.ETag, `"`)})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].path < out[j].path })
	return out, ctx.Err()
}

type bucketFile struct {
	*minio.Object
	folder *bucketFolder
	path   string
	size   int64
}

func (f bucketFile) Size() int64 { return f.size }

func (f bucketFile) Read(p []byte) (int, error) {
	n, err := f.Object.Read(p)
	return n, f.explain(err)
}

func (f bucketFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.Object.ReadAt(p, off)
	return n, f.explain(err)
}

func (f bucketFile) explain(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return f.folder.explain(err, f.path)
}

func (b *bucketFolder) open(ctx context.Context, name, version string) (file, error) {
	opts := minio.GetObjectOptions{}
	if version != "" {
		if err := opts.SetMatchETag(version); err != nil {
			return nil, b.explain(err, name)
		}
	}
	o, err := b.client.GetObject(ctx, b.bucket, b.prefix+name, opts)
	if err != nil {
		return nil, b.explain(err, name)
	}
	info, err := o.Stat()
	if err == nil && version != "" && strings.Trim(info.ETag, `"`) != version { // not all services honour If-Match
		_ = o.Close()
		return nil, changedSince(where(b, name))
	}
	if err != nil {
		_ = o.Close()
		return nil, b.explain(err, name)
	}
	return bucketFile{Object: o, folder: b, path: name, size: info.Size}, nil
}

// put makes one request of what fits into partSize and streams what does not; an
// object appears when its upload is complete.
func (b *bucketFolder) put(ctx context.Context, name string, write func(io.Writer) error) error {
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(w)
		_ = w.CloseWithError(err)
		written <- err
	}()
	err := b.upload(ctx, name, r)
	_ = r.CloseWithError(io.ErrClosedPipe)
	if werr := <-written; werr != nil && !errors.Is(werr, io.ErrClosedPipe) {
		return werr
	}
	if err != nil {
		return b.explain(err, name)
	}
	return nil
}

const partSize = 16 << 20

func (b *bucketFolder) upload(ctx context.Context, name string, r io.Reader) error {
	var head bytes.Buffer
	_, err := io.CopyN(&head, r, partSize)
	opts := minio.PutObjectOptions{PartSize: partSize}
	switch {
	case errors.Is(err, io.EOF):
		_, err = b.client.PutObject(ctx, b.bucket, b.prefix+name, bytes.NewReader(head.Bytes()), int64(head.Len()), opts)
	case err == nil:
		_, err = b.client.PutObject(ctx, b.bucket, b.prefix+name, io.MultiReader(&head, r), -1, opts)
	}
	return err
}

func (b *bucketFolder) remove(ctx context.Context, name string) error {
	if err := b.client.RemoveObject(ctx, b.bucket, b.prefix+name, minio.RemoveObjectOptions{}); err != nil {
		return b.explain(err, name)
	}
	return nil
}
