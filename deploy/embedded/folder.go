package embedded

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"io/fs"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// folder is the path of an opened .weir.
type folder string

const (
	versionFile     = "version"
	endpointsFile   = "endpoints.json"
	portsFile       = "ports.json"
	credentialsFile = "credentials"
	scratchDir      = "scratch"
	timelinesDir    = "timelines"
	bucket          = "lake"
	region          = "us-east-1"
)

// Version of the layout of .weir that this program writes.
const Version = 1

// upgrades bring a folder from the version that is their key to the next one.
// Each may be repeated after a crash: the version is written when it is done.
var upgrades = map[int]func(dir string) error{}

// open checks the version, upgrades, and makes the sub-folders. The caller holds
// the lock.
func open(dir string) (folder, error) {
	f := folder(dir)
	if err := f.upgrade(Version, upgrades); err != nil {
		return "", err
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
		// Personal data and tokens lie here. A folder of another owner stays as it is.
		if err := os.Chmod(dir, 0o700); err != nil && !errors.Is(err, fs.ErrPermission) {
			return "", unusable(dir, err)
		}
	}
	if err := os.RemoveAll(f.path(scratchDir)); err != nil {
		return "", unusable(dir, err)
	}
	for _, d := range []string{"temporal", "s3", scratchDir} {
		if err := os.MkdirAll(f.path(d), 0o700); err != nil {
			return "", unusable(dir, err)
		}
	}
	return f, nil
}

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

func (f folder) upgrade(want int, steps map[int]func(string) error) error {
	have, err := f.version()
	if err != nil {
		return err
	}
	if have == 0 {
		return f.write(versionFile, []byte(strconv.Itoa(want)+"\n"), 0o600)
	}
	if have > want {
		return weir.Errorf(weir.Invalid, "the state is of version %d, this program knows up to %d", have, want).
			At(f.path(versionFile)).Then("use the newer weir that wrote it, or restore an older backup")
	}
	for ; have < want; have++ {
		step, ok := steps[have]
		if !ok {
			return weir.Errorf(weir.Invalid, "the state is of version %d, which this program no longer upgrades", have).
				At(f.path(versionFile)).Then("upgrade it with an older weir first")
		}
		if err := step(string(f)); err != nil {
			return weir.Errorf(weir.Internal, "upgrade of the state from version %d: %w", have, err).
				At(string(f)).Then("the upgrade can be repeated; weir restore brings back a backup")
		}
		if err := f.write(versionFile, []byte(strconv.Itoa(have+1)+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// version reads the layout's version; 0: the folder holds no state yet.
func (f folder) version() (int, error) {
	b, err := os.ReadFile(f.path(versionFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(f.path("temporal")); err == nil {
			return 0, weir.Errorf(weir.Invalid, "there is state, but nothing says of which version").
				At(f.path(versionFile)).Then("restore the whole folder from a backup (weir restore)")
		}
		return 0, nil
	}
	if err != nil {
		return 0, unusable(string(f), err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 1 {
		return 0, weir.Errorf(weir.Invalid, "%q is no version", strings.TrimSpace(string(b))).
			At(f.path(versionFile)).Then("restore the folder from a backup (weir restore)")
	}
	return n, nil
}

// write replaces a file whole or not at all.
func (f folder) write(name string, data []byte, mode fs.FileMode) error {
	tmp := f.path(name + ".new")
	err := func() error {
		w, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return errors.Join(err, w.Sync(), w.Close())
	}()
	if err == nil {
		err = os.Rename(tmp, f.path(name))
	}
	if err != nil {
		return unusable(f.path(name), err)
	}
	return nil
}

func (f folder) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return weir.Errorf(weir.Internal, "%s: %w", name, err)
	}
	return f.write(name, append(b, '\n'), 0o600)
}

// keys of the S3 store.
type keys struct {
	Access string `json:"access_key"`
	Secret string `json:"secret_key"`
}

// credentials reads the S3 keys, or makes them once.
func (f folder) credentials() (keys, error) {
	var k keys
	b, err := os.ReadFile(f.path(credentialsFile))
	switch {
	case err == nil:
		if json.Unmarshal(b, &k) != nil || k.Access == "" || k.Secret == "" {
			return k, weir.Errorf(weir.Invalid, "these are no credentials").At(f.path(credentialsFile)).
				Then("remove the file: new ones are made, no data is lost")
		}
		return k, nil
	case !errors.Is(err, fs.ErrNotExist):
		return k, unusable(f.path(credentialsFile), err)
	}
	secret := make([]byte, 35)
	if _, err := rand.Read(secret); err != nil {
		return k, weir.Errorf(weir.Internal, "no random numbers: %w", err)
	}
	text := base32.StdEncoding.EncodeToString(secret)
	k = keys{Access: "WEIR" + text[:16], Secret: text[16:]}
	return k, f.writeJSON(credentialsFile, k)
}

// lake says how to reach the embedded store at an address.
func (f folder) lake(address string, k keys) object.Config {
	return object.Config{
		Endpoint: address, Bucket: bucket, Region: region, AccessKey: k.Access, SecretKey: k.Secret,
		PathStyle: true, LocalDir: f.path("s3"),
	}
}

// ports of the parts on the loopback interface; 0: not used.
type ports struct {
	Temporal int `json:"temporal"`
	S3       int `json:"s3"`
	UI       int `json:"ui"`
}

// preferred ports of a first start.
var preferred = ports{Temporal: 17233, S3: 19000, UI: 18233}

// releaseWait is how long a port of last time may stay taken: a killed
// process's child needs a moment to die.
const releaseWait = time.Second

// anyPorts is an environment variable that keeps away from the preferred ports:
// tests start many platforms at once.
const anyPorts = "WEIR_ANY_PORTS"

// choosePorts keeps the ports of last time, else takes the preferred ones, else
// any free ones, and remembers them.
func (f folder) choosePorts(ctx context.Context, ui bool) (ports, error) {
	var last ports
	b, err := os.ReadFile(f.path(portsFile))
	if err == nil {
		_ = json.Unmarshal(b, &last) // an unreadable file is as none
	}
	out := last
	for _, p := range []struct {
		port   *int
		prefer int
		use    bool
	}{{&out.Temporal, preferred.Temporal, true}, {&out.S3, preferred.S3, true}, {&out.UI, preferred.UI, ui}} {
		if !p.use {
			continue
		}
		if *p.port != 0 && waitFree(ctx, *p.port) {
			continue
		}
		*p.port = p.prefer
		if os.Getenv(anyPorts) != "" || !free(p.prefer) {
			n, err := freePort()
			if err != nil {
				return out, err
			}
			*p.port = n
		}
	}
	if out == last {
		return out, nil
	}
	return out, f.writeJSON(portsFile, out)
}

const loopback = "127.0.0.1"

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

func free(port int) bool {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func waitFree(ctx context.Context, port int) bool {
	ctx, cancel := context.WithTimeout(ctx, releaseWait)
	defer cancel()
	return poll(ctx, 20*time.Millisecond, func() bool { return free(port) })
}

// freePort draws a port below those that the kernel gives to outgoing
// connections: one of theirs could be taken before it is listened on.
func freePort() (int, error) {
	const from, to, draws = 20000, 32000, 100
	for range draws {
		if n := from + mathrand.IntN(to-from); free(n) {
			return n, nil
		}
	}
	return 0, weir.Errorf(weir.Unavailable, "no free port on the loopback interface between %d and %d", from, to)
}

// poll calls ok until it is true or ctx ends, and says which.
func poll(ctx context.Context, every time.Duration, ok func() bool) bool {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ok() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}
