package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/test/postgrestest"
)

// counting is a sink that only counts.
type counting struct{ rows atomic.Int64 }

func (c *counting) Write(_ context.Context, b connectors.Batch) error {
	c.rows.Add(b.Rows.NumRows())
	return nil
}
func (c *counting) Reject(context.Context, connectors.Rejection) error { return nil }

// The table of the peers' benchmark.
const customers = `create table customers (id bigint primary key, external_id uuid not null, email text, given_name text, family_name text, birth_date date,
  city text, country text, active boolean not null, balance numeric(12,2), visits integer not null, updated_at timestamptz not null);
insert into customers select i, md5(i::text)::uuid, 'user' || (i * 7919) % 10000019 || '@mail' || i % 7 || '.example',
  (array['Marie','Jean','Anna','Piotr','Sofía'])[1 + (i * 31) % 5], 'Martin' || (i * 13) % 997,
  case when i % 5 <> 0 then date '1940-01-01' + (i * 37 % 25000)::int end, 'city ' || (i * 101) % 1500, (array['FR','DE','GB','ES','PL'])[1 + i % 5],
  i % 3 <> 0, ((i * 7907) % 1000000)::numeric / 100, (i % 250)::int, timestamptz '2023-01-01' + (i * 7919 % 94608000) * interval '1 second'
from generate_series(1, 500000::bigint) i`

func BenchmarkFullRead(b *testing.B) {
	dsn := postgrestest.Start(b).Database(b)
	postgrestest.Exec(b, dsn, customers)
	postgrestest.Exec(b, dsn, "vacuum analyze customers")
	st := stream(b, "", map[string]any{"table": "customers"}, "id")
	c := &counting{}
	for b.Loop() {
		src := source(b, dsn)
		plan, err := src.Plan(b.Context(), st, connectors.Prior{})
		if err != nil {
			b.Fatal(err)
		}
		g, ctx := errgroup.WithContext(b.Context())
		g.SetLimit(2)
		for _, s := range plan.Splits {
			g.Go(func() error { return src.Read(ctx, st, plan, s, c) })
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
		_ = src.Close()
	}
	b.ReportMetric(float64(c.rows.Load())/b.Elapsed().Seconds(), "rows/s")
}
