package project

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/revisions"
	"go.yaml.in/yaml/v3"
)

// maxFile bounds one project file; beyond it is a mistake, not a definition.
const maxFile = 16 << 20

// Load reads and checks the project in dir against the known connectors. The
// error is Problems (all of them), or a weir.Error where dir is no project.
func Load(dir string, known map[string]connectors.Connector) (*Project, error) {
	return load(dir, known, func([]string) {})
}

// load tells reads which words it knows wherever it looks for one.
func load(dir string, known map[string]connectors.Connector, reads func(words []string)) (*Project, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		if stat, err := os.Stat(dir); err == nil && !stat.IsDir() {
			return nil, weir.Errorf(weir.Invalid, "a project is a directory, and this is a file").At(dir).Then("name the directory: --project " + filepath.Dir(dir))
		}
		return nil, weir.Errorf(weir.Invalid, "no project directory: %w", err).At(dir).Then("create one with: weir init DIR")
	}
	defer root.Close()
	l := &loader{fsys: root.FS(), known: known, reads: reads, p: &Project{Timezone: "UTC", Currency: "EUR",
		Retention: Retention{QuarantineValues: 30 * 24 * time.Hour, Snapshots: 30 * 24 * time.Hour}, PolicyMaxAge: 400 * 24 * time.Hour}}
	if _, err := fs.Stat(l.fsys, "weir.yaml"); err != nil {
		return nil, weir.Errorf(weir.Invalid, "no weir.yaml here").At(dir).Then("create a project with: weir init DIR, or name one with --project DIR")
	}
	l.file("weir.yaml", l.weir)
	l.folder("sources", l.source)
	l.file("identity.yaml", l.identity)
	l.labels()
	l.file("rates.yaml", l.rates)
	l.folder("traits", l.trait)
	l.folder("segments", l.segment)
	l.folder("destinations", l.destination)
	l.folder("activations", l.activation)
	l.file("contact.yaml", l.contact)
	l.policies()
	l.strangers()
	if !l.unread {
		l.check()
	}
	if err := l.problems.Err(); err != nil {
		return nil, err
	}
	return l.p, nil
}

// policies tells whether the project has rules of its own. Only a folder that is
// not there means the built-in ones: one that can't be read, or is empty, would
// otherwise drop an officer's rules without a word.
func (l *loader) policies() {
	entries, err := fs.ReadDir(l.fsys, "policies")
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		l.problems = append(l.problems, Problem{Where: "policies", Message: "can't be read: " + err.Error(), Next: "give this user the right to read it"})
	case len(entries) == 0:
		l.problems = append(l.problems, Problem{Where: "policies", Message: "the folder is empty", Next: "remove it, and the built-in rules decide"})
	default:
		l.p.Policies = true
	}
}

// loader gathers one project and what is wrong with it.
type loader struct {
	fsys     fs.FS
	known    map[string]connectors.Connector
	reads    func(words []string)
	p        *Project
	problems Problems
	mentions []mention // names in identity.yaml that a source has to map
	unread   bool      // a file could not be read: what others refer to may be in it
}

func (l *loader) file(name string, read func(r *reader, name string, root *yaml.Node)) {
	info, err := fs.Stat(l.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var data []byte
	if err == nil && info.Size() > maxFile {
		err = errors.New("larger than 16 MiB")
	}
	if err == nil {
		data, err = fs.ReadFile(l.fsys, name)
	}
	if err != nil {
		l.problems = append(l.problems, Problem{Where: name, Message: "can't be read: " + err.Error()})
		l.unread = true
		return
	}
	r := &reader{file: name, problems: &l.problems, reads: l.reads}
	if root := r.parse(data); root == nil {
		l.unread = true
	} else {
		read(r, strings.TrimSuffix(path.Base(name), path.Ext(name)), root)
	}
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// folder reads each YAML file of a folder, in the order of names.
func (l *loader) folder(name string, read func(r *reader, name string, root *yaml.Node)) {
	entries, err := fs.ReadDir(l.fsys, name)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.problems = append(l.problems, Problem{Where: name, Message: "can't be read: " + err.Error()})
		}
		return
	}
	seen := map[string]string{}
	for _, e := range entries {
		file := path.Join(name, e.Name())
		ext := path.Ext(e.Name())
		if strings.HasPrefix(e.Name(), ".") || e.IsDir() {
			continue
		}
		if ext != ".yaml" && ext != ".yml" {
			l.problems = append(l.problems, Problem{Where: file, Message: "not a YAML file", Next: "name it " + strings.TrimSuffix(e.Name(), ext) + ".yaml or move it away"})
			continue
		}
		base := strings.TrimSuffix(e.Name(), ext)
		if !nameForm.MatchString(base) {
			l.problems = append(l.problems, Problem{Where: file, Message: "the file's name names the thing: small letters, digits and _, a letter first"})
			continue
		}
		if other := seen[base]; other != "" {
			l.problems = append(l.problems, Problem{Where: file, Message: "the same name as " + other, Next: "rename one"})
			continue
		}
		seen[base] = file
		l.file(file, read)
	}
}

func (l *loader) weir(r *reader, _ string, root *yaml.Node) {
	p := l.p
	types := []string{string(weir.Text), string(weir.Number), string(weir.Date), string(weir.Instant), string(weir.Boolean)}
	var signers, runner *yaml.Node
	r.object(root, keys{
		"name": func(n *yaml.Node) {
			r.text(&p.Name)(n)
			if p.Name != "" && !nameForm.MatchString(p.Name) {
				r.problem(n, "", "a workspace's name has small letters, digits and _, a letter first; found %q", p.Name)
			}
		},
		"timezone": func(n *yaml.Node) {
			r.text(&p.Timezone)(n)
			if _, err := time.LoadLocation(p.Timezone); err != nil {
				r.problem(n, "use a name such as Europe/Paris", "unknown time zone %q", p.Timezone)
			}
		},
		"default_region": r.checked(&p.DefaultRegion, regexp.MustCompile(`^[A-Z]{2}$`), "two capital letters, such as FR"),
		"currency":       r.checked(&p.Currency, regexp.MustCompile(`^[A-Z]{3}$`), "three capital letters, such as EUR"),
		"lake":           func(n *yaml.Node) { readLake(r, n, &p.Lake) },
		"temporal":       func(n *yaml.Node) { readTemporal(r, n, &p.Temporal) },
		"runner":         func(n *yaml.Node) { readRunner(r, n, &p.Runner); runner = n },
		"retention": func(n *yaml.Node) {
			r.object(n, keys{"quarantine_values": r.duration(&p.Retention.QuarantineValues), "snapshots": r.duration(&p.Retention.Snapshots)})
		},
		"notify": func(n *yaml.Node) {
			e := &p.Notify.Email
			r.object(n, keys{"webhook": r.text(&p.Notify.Webhook), "email": func(n *yaml.Node) {
				r.object(n, keys{"smtp": r.text(&e.SMTP), "from": r.text(&e.From), "to": r.texts(&e.To), "username": r.text(&e.Username), "password": r.text(&e.Password)})
			}})
		},
		"signers": func(n *yaml.Node) {
			for _, s := range r.list(n) {
				var signer weir.Signer
				r.object(s, keys{"name": r.text(&signer.Name), "key": r.text(&signer.Key)})
				p.Signers = append(p.Signers, signer)
			}
			signers = n
		},
		"policy_max_age": r.duration(&p.PolicyMaxAge),
		"subject": func(n *yaml.Node) {
			s := &p.Subject
			r.object(n, keys{"jurisdiction": r.texts(&s.Jurisdiction), "region": r.texts(&s.Region), "birth_date": r.texts(&s.BirthDate), "last_contact": r.texts(&s.LastContact),
				"customer": r.texts(&s.Customer), "opt_out_offered": r.texts(&s.OptOutOffered)})
		},
		"controller": func(n *yaml.Node) {
			r.object(n, keys{"charity": r.boolean(&p.Controller.Charity), "minors": r.boolean(&p.Controller.Minors)})
		},
		"attributes": func(n *yaml.Node) {
			p.Attributes = map[string]weir.AttributeType{}
			r.each(n, func(k, v *yaml.Node) {
				var t string
				r.oneOf(&t, types...)(v)
				p.Attributes[k.Value] = weir.AttributeType(t)
			})
		},
	})
	if len(p.Signers) > 0 {
		if err := revisions.CheckSigners(p.Signers); err != nil {
			r.refuse(signers, err)
		}
	}
	checkRunner(r, runner, p)
	l.noteKeys(r, "weir.yaml", root)
	if p.Name == "" {
		r.lacks("name", root, "add a line such as: name: shop", "the workspace has no name")
	}
}

// refuse tells of an error about what a node says.
func (r *reader) refuse(n *yaml.Node, err error) {
	var e *weir.Error
	if errors.As(err, &e) {
		r.problem(n, e.Next, "%s", e.Message)
	} else {
		r.problem(n, "", "%v", err)
	}
}

// checked reads a text of one form.
func (r *reader) checked(into *string, form *regexp.Regexp, should string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.text(into)(n)
		if !form.MatchString(*into) {
			r.problem(n, "", "expected %s, found %q", should, *into)
		}
	}
}
