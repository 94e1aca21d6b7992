package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weir-cdp/weir/test/postgrestest"
)

// csv: one CSV file of customers into a committed raw table.
func (b *bench) csv(ctx context.Context) error {
	const name = "ingest_csv"
	rows := b.rows(5_000_000)
	path := filepath.Join(b.work, fmt.Sprintf("customers_%d.csv", rows))
	for round := 0; round <= b.rounds; round++ {
		if err := b.collectCSV(ctx, name, path, rows, round); err != nil {
			return err
		}
		if round == 0 {
			continue
		}
		for _, arm := range []string{"duckdb", "pyarrow", "dlt_duckdb", "dlt_pyarrow"} {
			if err := b.copies(ctx, "ingest_csv.py", name, arm, path, rows, round); err != nil {
				return err
			}
		}
	}
	return nil
}

// collectCSV has Weir collect the file, or one of a quarter of its rows.
func (b *bench) collectCSV(ctx context.Context, name, path string, rows, round int) error {
	if round == 0 {
		rows /= 4
		path = filepath.Join(b.work, fmt.Sprintf("customers_%d.csv", rows))
	}
	if _, err := os.Stat(path); err != nil {
		if err := writeCustomers(path, rows); err != nil {
			return err
		}
	}
	source := customersSource("files", fmt.Sprintf("{path: %q}", b.work), "path: "+filepath.Base(path)+
		"\n    types: {id: int, birth_date: date, active: boolean, balance: \"decimal(12,2)\", visits: int, updated_at: timestamp}")
	return b.collect(ctx, name, source, rows, round)
}

var (
	given    = []string{"Marie", "Jean", "Anna", "Piotr", "Sofía", "Jürgen", "Emma", "Liam", "Noé", "Zoë"}
	families = []string{"Martin", "García", "Müller", "Nowak", "Smith", "Dubois", "Fischer", "Kowalska", "O'Brien", "Lefèvre"}
	lands    = []string{"FR", "DE", "GB", "ES", "PL"}
)

// writeCustomers writes the twelve columns of the kit's file, with other random
// ids.
func writeCustomers(path string, rows int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "id,external_id,email,given_name,family_name,birth_date,city,country,active,balance,visits,updated_at")
	born, updated := time.Date(1940, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := 1; i <= rows; i++ {
		email, birth := "", ""
		if i%17 != 0 {
			email = "user" + strconv.Itoa(i*7919%10000019) + "@mail" + strconv.Itoa(i%7) + ".example"
		}
		if i%5 != 0 {
			birth = born.AddDate(0, 0, i*37%25000).Format(time.DateOnly)
		}
		cents, id := i*7907%1000000, uint64(i)*0x9E3779B97F4A7C15
		fmt.Fprintf(w, "%d,%08x-%04x-%04x-8000-%012x,%s,%s,%s%d,%s,\"city, %d\",%s,%t,%d.%02d,%d,%s\n", i, id>>32, id>>16&0xffff, id&0xffff,
			id*31>>16, email, given[i*31%10], families[i*17%10], i*13%997, birth, i*101%1500, lands[i%5], i%3 != 0, cents/100, cents%100, i%250,
			updated.Add(time.Duration(i*7919%94608000)*time.Second).Format(time.DateTime))
	}
	return w.Flush()
}

// fill is the kit's table.
const fill = `
drop table if exists customers;
create table customers (id bigint primary key, external_id uuid not null, email text, given_name text, family_name text, birth_date date,
  city text, country text, active boolean not null, balance numeric(12,2), visits integer not null, updated_at timestamptz not null);
insert into customers select i, md5(i::text)::uuid, case when i %% 17 <> 0 then 'user' || (i * 7919) %% 10000019 || '@mail' || i %% 7 || '.example' end,
  (array['Marie','Jean','Anna','Piotr','Sofía','Jürgen','Emma','Liam','Noé','Zoë'])[1 + (i * 31) %% 10],
  (array['Martin','García','Müller','Nowak','Smith','Dubois','Fischer','Kowalska','O''Brien','Lefèvre'])[1 + (i * 17) %% 10] || (i * 13) %% 997,
  case when i %% 5 <> 0 then date '1940-01-01' + (i * 37 %% 25000)::int end, 'city ' || (i * 101) %% 1500, (array['FR','DE','GB','ES','PL'])[1 + i %% 5],
  i %% 3 <> 0, ((i * 7907) %% 1000000)::numeric / 100, (i %% 250)::int, timestamptz '2023-01-01' + (i * 7919 %% 94608000) * interval '1 second'
from generate_series(1, %d::bigint) i`

// postgres: one table of customers into a committed raw table.
func (b *bench) postgres(ctx context.Context) error {
	const name = "ingest_postgres"
	server, stop, err := postgrestest.Serve()
	if err != nil {
		b.report.notef("%s is skipped: %v", name, err)
		return nil
	}
	defer stop()
	dsn := fmt.Sprintf("postgresql://%s:%s@127.0.0.1:%d/postgres", postgrestest.User, postgrestest.Password, server.Port)
	if err := os.Setenv("WEIR_BENCH_DSN", dsn); err != nil { // a secret may not stand in a project
		return err
	}
	source := customersSource("postgres", `{dsn: "${env:WEIR_BENCH_DSN}"}`, "table: public.customers")
	for round := 0; round <= b.rounds; round++ {
		rows := b.rows(2_000_000)
		if round == 0 {
			rows /= 4
		}
		if round <= 1 {
			if err := fillCustomers(ctx, dsn, rows); err != nil {
				return err
			}
		}
		if err := b.collect(ctx, name, source, rows, round); err != nil {
			return err
		}
		if round == 0 {
			continue
		}
		for _, arm := range []string{"connectorx", "adbc", "dlt_connectorx", "dlt_pyarrow"} {
			if err := b.copies(ctx, "ingest_postgres.py", name, arm, dsn, rows, round); err != nil {
				return err
			}
		}
	}
	return nil
}

func fillCustomers(ctx context.Context, dsn string, rows int) (err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, q := range []string{fmt.Sprintf(fill, rows), "vacuum analyze customers", "checkpoint"} {
		if _, err := conn.PgConn().Exec(ctx, q).ReadAll(); err != nil {
			return err
		}
	}
	return nil
}
