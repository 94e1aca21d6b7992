package lakehouse

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// Config says where the lake's objects and its catalog are.
type Config struct {
	Object  object.Config
	Catalog CatalogConfig
	// Namespace is put before every namespace of the catalog ("" for none): the
	// workspace, where one REST catalog serves several.
	Namespace string
}

// CatalogConfig is what `lake.catalog` in weir.yaml says.
type CatalogConfig struct {
	Type      string // sqlite (default) or rest
	Path      string // sqlite: the database file; its folder must exist
	URI       string // rest
	Token     string // rest: bearer token; may be empty
	Warehouse string // rest: as the service names it; may be empty
	// Credential is "id:secret" for OAuth2's client credentials, in place of a token;
	// Scope and TokenURI, the token endpoint, may be empty: then those of the service.
	Credential, Scope, TokenURI string
	CA                          string // rest: a file of certificates to trust beside the system's; may be empty
}

// Lake is one workspace's tables. It is safe for concurrent use.
type Lake struct {
	store *object.Store
	cat   tableCatalog
	close func() error
	root  []string // Config.Namespace, split
	// keepsIDs: the catalog creates tables with the field ids that it is given.
	keepsIDs bool

	locks sync.Map // table name to chan struct{}: committers of one process queue here
	runs  runCache
}

// tableCatalog is what this package needs of an Iceberg catalog.
type tableCatalog interface {
	table.CatalogIO
	DropTable(context.Context, table.Identifier) error
	CreateTable(context.Context, table.Identifier, *iceberg.Schema, ...catalog.CreateTableOpt) (*table.Table, error)
	CreateNamespace(context.Context, table.Identifier, iceberg.Properties) error
	CheckNamespaceExists(context.Context, table.Identifier) (bool, error)
	ListNamespaces(context.Context, table.Identifier) ([]table.Identifier, error)
	ListTables(context.Context, table.Identifier) iter.Seq2[table.Identifier, error]
}

// Open reaches the store and the catalog; it creates the catalog's database, not
// the bucket.
func Open(ctx context.Context, c Config) (*Lake, error) {
	store, err := object.Open(ctx, c.Object)
	if err != nil {
		return nil, err
	}
	l := &Lake{store: store}
	if c.Namespace != "" {
		l.root = strings.Split(c.Namespace, ".")
	}
	props := iceberg.Properties{
		storeProperty: shareStore(store),
		"warehouse":   strings.TrimSuffix(store.URL(""), "/"),
	}
	switch c.Catalog.Type {
	case "", "sqlite":
		l.cat, l.close, err = openSQLite(ctx, c.Catalog, props)
		l.keepsIDs = true
	case "rest":
		l.cat, l.close, err = openREST(ctx, c.Catalog, props)
	default:
		err = weir.Errorf(weir.Invalid, "unknown catalog type %q", c.Catalog.Type).
			At("lake.catalog.type").Then("use sqlite or rest")
	}
	if err != nil {
		unshareStore(props[storeProperty])
		return nil, err
	}
	closeCatalog := l.close
	l.close = func() error { unshareStore(props[storeProperty]); return closeCatalog() }
	return l, nil
}

// Close releases the catalog. The lake must not be used after.
func (l *Lake) Close() error { return l.close() }

// Store returns the lake's object store.
func (l *Lake) Store() *object.Store { return l.store }

// tablePath is the folder of a table, as an object key.
func tablePath(name string) string { return strings.ReplaceAll(name, ".", "/") }

// identifier splits "raw.crm__contacts" into the catalog's namespace and name.
func (l *Lake) identifier(name string) (table.Identifier, error) {
	namespace, short, ok := strings.Cut(name, ".")
	if !ok || namespace == "" || short == "" || strings.ContainsAny(name, "/\\ ") || strings.Contains(short, ".") {
		return nil, weir.Errorf(weir.Invalid, "table name %q can't be used", name).
			Then("name tables namespace.name, without spaces and slashes")
	}
	return append(append(table.Identifier{}, l.root...), namespace, short), nil
}

// load reads a table's newest metadata. Commits go through l.cat.
func (l *Lake) load(ctx context.Context, name string) (*table.Table, error) {
	id, err := l.identifier(name)
	if err != nil {
		return nil, err
	}
	t, err := l.cat.LoadTable(ctx, id)
	switch {
	case errors.Is(err, catalog.ErrNoSuchTable), errors.Is(err, catalog.ErrNoSuchNamespace):
		return nil, weir.Errorf(weir.NotFound, "there is no table %s", name)
	case err != nil:
		return nil, failed("read table", name, err)
	}
	// Files by the lake's store alone, wherever the catalog says that they are: Iceberg
	// would open a file of this machine, or ask the catalog for keys of a store.
	files := func(ctx context.Context) (iceio.IO, error) { return &storeIO{ctx: ctx, store: l.store}, nil }
	return table.New(t.Identifier(), t.Metadata(), t.MetadataLocation(), files, l.cat), nil
}

// lock queues the committers of one table in this process; others are told apart
// by the catalog.
func (l *Lake) lock(ctx context.Context, name string) (func(), error) {
	v, _ := l.locks.LoadOrStore(name, make(chan struct{}, 1))
	c := v.(chan struct{})
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// failed gives an error of Iceberg or the catalog a code, once.
func failed(what, name string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var known *weir.Error
	if errors.As(err, &known) {
		return known
	}
	if refused := catalogRefused(err); refused != "" {
		return weir.Errorf(weir.Denied, "can't %s %s: the catalog refuses: %w", what, name, err).Then(refused)
	}
	return weir.Errorf(weir.Unavailable, "can't %s %s: %w", what, name, err).
		Then("check the catalog, then try again")
}
