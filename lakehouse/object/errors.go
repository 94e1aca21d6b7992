package object

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"syscall"

	"github.com/minio/minio-go/v7"

	"github.com/weir-cdp/weir"
)

// failed maps what the client library or the file system says to a weir error.
// A cancelled context stays what it is.
func (s *Store) failed(what, key string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	code, next := classify(err)
	where := s.URL(key)
	return weir.Errorf(code, "can't %s: %w", what, err).At(where).Then(next)
}

func classify(err error) (weir.Code, string) {
	const (
		away    = "check that the object store runs and can be reached, then try again"
		refused = "check lake.access_key, lake.secret_key and the bucket's policy"
		full    = "free space on the object store's disk, then try again"
	)
	var known *weir.Error
	if errors.As(err, &known) {
		return known.Code, known.Next
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return weir.NotFound, ""
	case errors.Is(err, fs.ErrPermission):
		return weir.Denied, "let this user read the object store's folder"
	case errors.Is(err, syscall.ENOSPC):
		return weir.Unavailable, full
	}
	r := minio.ToErrorResponse(err)
	switch r.Code {
	case minio.NoSuchKey, "NotFound", "NoSuchUpload":
		return weir.NotFound, ""
	case minio.NoSuchBucket:
		return weir.NotFound, "create the bucket, or correct lake.bucket in weir.yaml"
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled":
		return weir.Denied, refused
	case "XMinioStorageFull", "QuotaExceeded":
		return weir.Unavailable, full
	case "RequestTimeTooSkewed":
		return weir.Denied, "set this machine's clock: it differs from the object store's"
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired":
		return weir.Denied, "the credentials have expired: get new ones (lake.session_token, or the environment's AWS_SESSION_TOKEN)"
	case "InvalidTokenId", "InvalidToken", "InvalidSecurity":
		return weir.Denied, "check lake.session_token: it is not of these keys, or has expired"
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return weir.Invalid, "correct lake.region or lake.endpoint: the bucket lies elsewhere"
	case "PreconditionFailed":
		return weir.Conflict, ""
	}
	var network net.Error
	switch {
	case r.StatusCode == http.StatusNotFound:
		return weir.NotFound, ""
	case r.StatusCode == http.StatusForbidden, r.StatusCode == http.StatusUnauthorized:
		return weir.Denied, refused
	case r.StatusCode == http.StatusPreconditionFailed:
		return weir.Conflict, ""
	case r.StatusCode >= 500, r.StatusCode == http.StatusTooManyRequests, errors.As(err, &network):
		return weir.Unavailable, away
	case r.StatusCode >= 400:
		return weir.Invalid, "the object store refused the request as malformed: report it with the message above"
	}
	return weir.Unavailable, away
}
