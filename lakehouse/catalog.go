package lakehouse

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcatalog "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	_ "modernc.org/sqlite" // the driver that the embedded Temporal server links too

	"github.com/weir-cdp/weir"
)

// catalogName is the catalog's name within the SQLite file; foreign readers need it.
const catalogName = "weir"

func openSQLite(ctx context.Context, c CatalogConfig, props iceberg.Properties) (tableCatalog, func() error, error) {
	if c.Path == "" {
		return nil, nil, weir.Errorf(weir.Invalid, "an sqlite catalog needs a file").At("lake.catalog.path")
	}
	// FULL: a commit that was acknowledged survives a power cut, as the objects do.
	pragmas := "?_pragma=busy_timeout(15000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: c.Path}).EscapedPath()+pragmas)
	if err != nil {
		return nil, nil, failed("open catalog", c.Path, err)
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; more connections only make SQLITE_BUSY
	err = db.PingContext(ctx)
	var cat *sqlcatalog.Catalog
	if err == nil {
		cat, err = sqlcatalog.NewCatalog(catalogName, db, sqlcatalog.SQLite, props)
	}
	if err != nil {
		db.Close()
		return nil, nil, weir.Errorf(weir.Unavailable, "can't open the catalog: %w", err).
			At(c.Path).Then("check that its folder exists and that this user may write there")
	}
	return cat, db.Close, nil
}

// ensureNamespace creates the namespace of id; one that is there is left alone.
func (l *Lake) ensureNamespace(ctx context.Context, id table.Identifier) error {
	for n := 1; n < len(id); n++ { // parents first: some services ask for them
		namespace := id[:n]
		ok, err := l.cat.CheckNamespaceExists(ctx, namespace)
		if err == nil && !ok {
			err = l.cat.CreateNamespace(ctx, namespace, nil)
			if err != nil {
				// Somebody else may have created it meanwhile, however the catalog says that.
				if ok, again := l.cat.CheckNamespaceExists(ctx, namespace); again == nil && ok {
					err = nil
				}
			}
		}
		if err != nil {
			return failed("create namespace", strings.Join(namespace, "."), err)
		}
	}
	return nil
}

// Tables lists the names of all tables, sorted, but those of probes.
func (l *Lake) Tables(ctx context.Context) ([]string, error) {
	names, err := l.allTables(ctx)
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, probeSpace+".") }), err
}

func (l *Lake) allTables(ctx context.Context) ([]string, error) {
	namespaces, err := l.cat.ListNamespaces(ctx, l.root)
	if errors.Is(err, catalog.ErrNoSuchNamespace) {
		return nil, nil // nothing is in it yet
	}
	if err != nil {
		return nil, failed("list", "namespaces", err)
	}
	var names []string
	for _, namespace := range namespaces {
		if len(namespace) != len(l.root)+1 {
			continue
		}
		for id, err := range l.cat.ListTables(ctx, namespace) {
			if err != nil {
				return nil, failed("list tables of", strings.Join(namespace, "."), err)
			}
			names = append(names, namespace[len(l.root)]+"."+id[len(id)-1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
