package object

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"

	"github.com/minio/minio-go/v7"

	"github.com/weir-cdp/weir"
)

// partSize bounds the memory of an upload: one part is in memory at a time.
const partSize = 8 << 20

// putOptions has the payload checked by MD5 rather than by signing each chunk of
// it: the chunked form is what S3-compatible servers most often get wrong, and
// costs more.
func putOptions() minio.PutObjectOptions {
	return minio.PutObjectOptions{ContentType: "application/octet-stream", PartSize: partSize, NumThreads: 1,
		DisableContentSha256: true, SendContentMd5: true}
}

// Put writes an object whole, replacing one that is there. A size of -1 means
// unknown: the upload is then multipart, with one part of 8 MiB in memory.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	opts := putOptions()
	_, err := s.client.PutObject(ctx, s.bucket, s.prefix+key, r, size, opts)
	return s.failed("write object", key, err)
}

// PutChecked is Put of bytes that carry their own checksum, as scratch does: no
// other one is computed, and it takes one request.
func (s *Store) PutChecked(ctx context.Context, key string, data []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	opts := putOptions()
	opts.DisableMultipart, opts.SendContentMd5 = true, false
	_, err := s.client.PutObject(ctx, s.bucket, s.prefix+key, bytes.NewReader(data), int64(len(data)), opts)
	return s.failed("write object", key, err)
}

// PutIfAbsent writes an object only if there is none of that key; created says
// whether it did. Of several racing writers one wins.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) (created bool, err error) {
	if err := checkKey(key); err != nil {
		return false, err
	}
	opts := putOptions()
	opts.DisableMultipart = true
	opts.SetMatchETagExcept("*")
	_, err = s.client.PutObject(ctx, s.bucket, s.prefix+key, bytes.NewReader(data), int64(len(data)), opts)
	if err == nil {
		return true, nil
	}
	switch r := minio.ToErrorResponse(err); {
	case r.StatusCode == http.StatusPreconditionFailed, r.StatusCode == http.StatusConflict,
		r.Code == "PreconditionFailed", r.Code == "ConditionalRequestConflict":
		return false, nil
	case r.StatusCode == http.StatusNotImplemented, r.Code == "NotImplemented":
		return false, weir.Errorf(weir.Invalid, "the object store has no conditional writes: %w", err).
			At(s.URL(key)).Then("use a server that honours If-None-Match on PUT (AWS S3, MinIO, Ceph, versitygw)")
	}
	return false, s.failed("write object", key, err)
}

// Delete removes objects; one that is not there is no error.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	for _, k := range keys {
		if err := checkKey(k); err != nil {
			return err
		}
	}
	if len(keys) == 1 {
		err := s.client.RemoveObject(ctx, s.bucket, s.prefix+keys[0], minio.RemoveObjectOptions{})
		if code, _ := classifyNil(err); code == weir.NotFound {
			return nil
		}
		return s.failed("delete object", keys[0], err)
	}
	var errs []error
	for batch := range slices.Chunk(keys, 1000) {
		results, err := s.client.RemoveObjectsWithIter(ctx, s.bucket, s.names(batch), minio.RemoveObjectsOptions{})
		if err != nil {
			return s.failed("delete objects", batch[0], err)
		}
		for r := range results {
			if code, _ := classifyNil(r.Err); r.Err != nil && code != weir.NotFound {
				errs = append(errs, s.failed("delete object", r.ObjectName, r.Err))
			}
		}
	}
	return errors.Join(errs...)
}

func (s *Store) names(keys []string) iter.Seq[minio.ObjectInfo] {
	return func(yield func(minio.ObjectInfo) bool) {
		for _, k := range keys {
			if !yield(minio.ObjectInfo{Key: s.prefix + k}) {
				return
			}
		}
	}
}

func classifyNil(err error) (weir.Code, string) {
	if err == nil {
		return "", ""
	}
	return classify(err)
}
