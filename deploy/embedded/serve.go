package embedded

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"

	"github.com/weir-cdp/weir"
)

// healthPath answers without credentials; no bucket may have its name. It is
// another one for each folder's keys, so that two platforms that chose one port
// at the same moment don't take each other's gateway for their own.
func healthPath(access string) string {
	sum := sha256.Sum256([]byte("health of " + access))
	return "/weir-healthz-" + hex.EncodeToString(sum[:8])
}

// serveConfig is what the parent tells the S3 child, as the first line of its
// standard input: so the secret is in no argument and no environment.
type serveConfig struct {
	Address  string `json:"address"`
	Root     string `json:"root"`
	Metadata string `json:"metadata"` // used where the file system has no extended attributes
	Keys     keys   `json:"keys"`
}

// ServeS3 is the S3 child: what the hidden subcommand calls, with its standard
// input. It serves until ctx ends or the leash does (its parent closed it, or
// died). It changes the working directory, so it needs a process of its own.
func ServeS3(ctx context.Context, leash io.Reader) error {
	in := bufio.NewReader(leash)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return weir.Errorf(weir.Invalid, "this command is started by weir itself, not by hand")
	}
	var c serveConfig
	if err := json.Unmarshal(line, &c); err != nil {
		return weir.Errorf(weir.Internal, "the S3 gateway was told nonsense: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, in) // its end is all that it says
	}()
	store, options, err := c.metadata()
	if err != nil {
		return err
	}
	backend, err := posix.New(c.Root, store, options)
	if err != nil {
		return unusable(c.Root, err)
	}
	err = embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
		RootUserAccess: c.Keys.Access, RootUserSecret: c.Keys.Secret,
		Region: region, Ports: []string{c.Address},
		MaxConnections: 4096, MaxRequests: 1024, MultipartMaxParts: 10000,
		Quiet: true, KeepAlive: true, DisableACLs: true, HealthPath: healthPath(c.Keys.Access),
	})
	if err != nil && ctx.Err() == nil {
		return weir.Errorf(weir.Unavailable, "the S3 gateway at %s: %w", c.Address, err)
	}
	return nil
}

// metadata chooses where the attributes of objects are kept: with the files, or
// beside where the file system can't. A folder keeps its first choice.
func (c serveConfig) metadata() (meta.MetadataStorer, posix.PosixOpts, error) {
	options := posix.PosixOpts{}
	options.SetNewDirPerm(0o700)
	options.SetNewFilePerm(0o600)
	_, err := os.Stat(c.Metadata)
	if err != nil && (meta.XattrMeta{}).Test(c.Root) == nil {
		return meta.XattrMeta{}, options, nil
	}
	if err := os.MkdirAll(c.Metadata, 0o700); err != nil {
		return nil, options, unusable(c.Metadata, err)
	}
	beside, err := meta.NewSideCar(c.Metadata)
	if err != nil {
		return nil, options, unusable(c.Metadata, err)
	}
	options.SideCarDir = c.Metadata
	return beside, options, nil
}
