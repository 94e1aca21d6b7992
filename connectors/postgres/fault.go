package postgres

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weir-cdp/weir"
)

// fault makes an error that names the server and what to do. It never shows
// credentials, or a value that the server complains of. It is never Invalid
// while reading: then the host would leave out one range of a table.
func (s *server) fault(ctx context.Context, err error) error {
	var known *weir.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &known):
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		code, next := advice(pg, s.config.User)
		return weir.Errorf(code, "%s (SQLSTATE %s)", message(pg), pg.Code).At(s.String()).Then(next)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return weir.Errorf(weir.Unavailable, "the host is not known").At(s.String()).Then("check the host's name")
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return weir.Errorf(weir.Unavailable, "no connection: %s", root(err)).At(s.String()).
			Then("check host and port, and that the server runs and lets this machine in")
	}
	return weir.Errorf(weir.Unavailable, "the connection was lost: %s", root(err)).At(s.String()).Then("check the server; the next try reads again")
}

// root is the last line of the innermost error.
func root(err error) string {
	for {
		inner := errors.Unwrap(err)
		var joined interface{ Unwrap() []error }
		if inner == nil && errors.As(err, &joined) { // nothing below err: it is err itself
			if all := joined.Unwrap(); len(all) > 0 {
				inner = all[len(all)-1]
			}
		}
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// message is the server's, without the value that it may end with.
func message(pg *pgconn.PgError) string {
	m := pg.Message
	if strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") {
		if i := strings.Index(m, `: "`); i > 0 {
			m = m[:i]
		}
	}
	return m
}

var advices = map[string]struct {
	code weir.Code
	next string
}{
	"28":    {weir.Denied, "check user and password, and pg_hba.conf"},
	"3D000": {weir.NotFound, "check the database's name"},
	"42501": {weir.Denied, ""},
	"42P01": {weir.NotFound, "the table is gone: check the stream's table"},
	"42703": {weir.Conflict, "the table changed: sync again"},
	"57014": {weir.Unavailable, "raise statement_timeout, or let the user's on the server be longer"},
	"57":    {weir.Unavailable, "the server restarts or ended the connection: the next try reads again"},
	"53":    {weir.Unavailable, "the server lacks room or connections: check it"},
	"40":    {weir.Unavailable, "try again; on a standby raise max_standby_streaming_delay"},
	"22023": {weir.Unavailable, "the snapshot is gone with its connection: sync again"},
	"55000": {weir.Unavailable, "the server can't do this now: check that it is no standby, and the table is filled"},
	"23":    {weir.Conflict, "check the table's constraints"},
}

func advice(pg *pgconn.PgError, user string) (weir.Code, string) {
	for _, key := range []string{pg.Code, pg.Code[:min(2, len(pg.Code))]} {
		if a, ok := advices[key]; ok {
			if key == "42501" {
				return a.code, "let an administrator grant it, for example: grant select on the table, and usage on its schema, to " + user
			}
			return a.code, a.next
		}
	}
	return weir.Unavailable, "look into the server's log"
}
