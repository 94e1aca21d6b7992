package postgrestest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/weir-cdp/weir/test/postgrestest"
)

func TestServerSurvivesItsCrash(t *testing.T) {
	s := postgrestest.Start(t)
	dsn := s.Database(t)
	postgrestest.Exec(t, dsn, "create table t (n int); insert into t values (7); checkpoint")
	s.Stop()
	if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
		_ = conn.Close(t.Context())
		t.Fatal("a stopped server takes connections")
	}
	s.Restart(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var n int
	if err := conn.QueryRow(t.Context(), "select n from t").Scan(&n); err != nil || n != 7 {
		t.Fatal(n, err)
	}
}
