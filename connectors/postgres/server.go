package postgres

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// server is where connections go.
type server struct {
	config  *pgx.ConnConfig
	timeout time.Duration // of statements; 0: the server's own
}

func newServer(s connectors.Settings) (*server, error) {
	text := s.String("dsn")
	byParts := text == ""
	if byParts {
		if s.String("host") == "" || s.String("database") == "" || s.String("user") == "" {
			return nil, weir.Errorf(weir.Invalid, "which server is not said").Then("set dsn, or host, database and user")
		}
		text = "host=" + word(s.String("host")) + " port=" + strconv.FormatInt(s.Int("port"), 10) + " dbname=" + word(s.String("database")) +
			" user=" + word(s.String("user")) + " sslmode=" + word(s.String("sslmode"))
		if p := s.String("password"); p != "" {
			text += " password=" + word(p)
		}
	}
	c, err := pgx.ParseConfig(text)
	if err != nil { // whose message shows the string: it may hold a password
		next := "write dsn: postgres://user:password@host:5432/database, with special characters of the password percent-encoded"
		if byParts {
			next = "check host, port and sslmode"
		}
		return nil, weir.Errorf(weir.Invalid, "the connection settings can't be parsed").At("postgres").Then(next)
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	timeout, _ := s["statement_timeout"].(time.Duration)
	return &server{config: c, timeout: timeout}, nil
}

// word quotes a value of a keyword connection string.
func word(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// String names the server without its credentials.
func (s *server) String() string {
	host := s.config.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(s.config.Port)))
	}
	return "postgres " + host + "/" + s.config.Database
}

// setUp is said after connecting, not at it, since poolers refuse settings that
// they do not know. It makes texts, plans and the order of rows the same on every
// server, and lets a snapshot wait for its readers.
//
// From a database without an encoding texts come as they are: the server would
// end a read at the first that is no UTF-8.
const setUp = `select set_config('client_encoding', case current_setting('server_encoding') when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end, false);
set datestyle to 'ISO, YMD'; set timezone to 'UTC'; set intervalstyle to 'postgres';
set extra_float_digits to 3; set bytea_output to 'hex'; set standard_conforming_strings to on; set xmlbinary to 'base64';
set synchronize_seqscans to off; set max_parallel_workers_per_gather to 0; set idle_in_transaction_session_timeout to 0;
set application_name to 'weir'`

// connect opens a connection.
func (s *server) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, s.config.Copy())
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	set := setUp
	if s.timeout > 0 {
		set += fmt.Sprintf("; set statement_timeout to %d", s.timeout.Milliseconds())
	}
	if _, err := conn.PgConn().Exec(ctx, set).ReadAll(); err != nil {
		hangUp(conn)
		return nil, s.fault(ctx, err)
	}
	return conn, nil
}

// hangUp closes a connection, also after its context has ended.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}
