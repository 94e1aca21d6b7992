package stages

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

// decide asks the gate about every member of an activated segment, and about
// everybody to whom something was delivered before.
type decide struct{ *House }

// decideSpec fixes what is decided on.
type decideSpec struct {
	Run    weir.Run         `json:"run"`
	Pins   map[string]int64 `json:"pins"`
	Policy string           `json:"policy"` // revision
	Broken string           `json:"broken"` // why the policy can't be used; "" if it can
	Ledger string           `json:"ledger"` // head of the ledger of consents
	// Uncomputed are the segments that hold people back and that no run has computed.
	Uncomputed []string `json:"uncomputed,omitempty"`
}

func (d *decide) Plan(ctx context.Context, run weir.Run, part string) (weir.StagePlan, error) {
	plan := weir.StagePlan{Spec: runPrefix(run, weir.Decide, part) + "spec.json"}
	if done, err := d.planned(ctx, plan.Spec); done || err != nil {
		return plan, err
	}
	p, err := d.project(ctx, run.Project)
	if err != nil {
		return plan, err
	}
	prior, ran, err := d.last(ctx, weir.Decide, part)
	if err != nil {
		return plan, err
	}
	if len(p.Activations) == 0 && (!ran || prior.RowsIn == 0) {
		return weir.StagePlan{Unchanged: true}, nil
	}
	var policy, broken string
	gate, err := d.Enforced(ctx, p, run.Now)
	switch {
	case unusable(err):
		broken = err.Error()
	case err != nil:
		return plan, err
	default:
		policy = gate.Revision()
	}
	pins, err := d.Lake.Pins(ctx)
	if err != nil {
		return plan, err
	}
	for _, t := range []string{"consent.decisions", "consent.classes", "activation.audience", heldBackTable} {
		if _, err := d.Lake.Ensure(ctx, schema.Named(t)); err != nil {
			return plan, err
		}
	}
	head, err := d.ledgerHead(ctx)
	if err != nil {
		return plan, err
	}
	uncomputed, err := d.uncomputed(ctx, p)
	if err != nil {
		return plan, err
	}
	return plan, d.writeOnce(ctx, plan.Spec, decideSpec{Run: run, Pins: pins, Policy: policy, Broken: broken, Ledger: head, Uncomputed: uncomputed})
}

func (d *decide) Run(ctx context.Context, key string, progress func(weir.Progress)) (string, error) {
	started := d.Clock()
	var sp decideSpec
	if err := d.readJSON(ctx, key, &sp); err != nil {
		return "", err
	}
	p, err := d.project(ctx, sp.Run.Project)
	if err != nil {
		return "", err
	}
	gate, err := d.Enforced(ctx, p, sp.Run.Now)
	if unusable(err) {
		gate, err = nil, nil
	}
	if err != nil {
		return "", err
	}
	if (gate == nil) != (sp.Broken != "") || (gate != nil && gate.Revision() != sp.Policy) {
		return "", weir.Errorf(weir.Conflict, "the policy changed between plan and run").Then("run again")
	}
	people, err := d.openAudience(ctx, p, p.Activations, sp.Pins, sp.Run.Now)
	if err != nil {
		return "", err
	}
	defer people.Close()
	dec, err := d.deciding(ctx, sp, p, gate, people)
	if err != nil {
		return "", err
	}
	defer dec.abort()
	dec.shade(ctx)
	if err := dec.all(ctx, people, progress); err != nil {
		return "", err
	}
	r, err := dec.result(ctx)
	if err != nil {
		return "", err
	}
	r.StartedAt = started
	out := runPrefix(sp.Run, weir.Decide, "") + "result.json"
	return out, d.writeJSON(ctx, out, r)
}

func (d *decide) Commit(ctx context.Context, manifest string) (weir.StageRun, error) {
	var r result
	if err := d.readJSON(ctx, manifest, &r); err != nil {
		return weir.StageRun{}, err
	}
	return d.commit(ctx, r)
}

func (d *decide) Keep(ctx context.Context, run weir.Run, part string) (weir.StageRun, error) {
	return d.keep(ctx, run, weir.Decide, part)
}

func (d *decide) Fail(ctx context.Context, run weir.Run, part, cause string) error {
	return d.fail(ctx, run, weir.Decide, part, cause)
}

// deciding is one run over all activations.
type deciding struct {
	*decide
	sp          decideSpec
	p           *project.Project
	activations []*decidingFor
	order       []*decidingFor // the same, by priority
	decisions   *rowfile.TableWriter[weir.Decision]
	newClasses  *rowfile.TableWriter[weir.DecisionClass]
	classes     map[string]bool   // known to the lake, or written
	decidedOn   map[string]rested // by class, where there is no gate
	rows        int64
	waiting     int    // rows of all blocks
	shadowed    string // the revision that is asked beside; "": none
	rehearses   bool   // nothing is written
}

// decidingFor is one activation's part of it.
type decidingFor struct {
	barrier
	def      weir.ActivationDef
	decider  *policies.Decider
	out      *rowfile.TableWriter[weir.AudienceRow]
	back     *rowfile.TableWriter[weir.HeldBack]
	block    []pending
	counts   map[string]int64 // of those held back, by reason
	keyless  int64
	standing int64 // kept without a gate
	shadow   *shadow
}

// pending is a row that waits for its block's decision.
type pending struct {
	candidate policies.Candidate
	row       weir.AudienceRow
	member    bool
	prior     weir.Decision
	held      weir.DeliveryState
	shadow    policies.Candidate
	refused   [2]string // under contact pressure: the key and checksum that the destination refused last
	sent      []int64   // of the person, shared by what waits of them
}

// blockRows is how many rows are decided at once.
const blockRows = 10_000

func (d *decide) deciding(ctx context.Context, sp decideSpec, p *project.Project, gate *policies.Gate, people *audience) (*deciding, error) {
	x := &deciding{decide: d, sp: sp, p: p, classes: map[string]bool{}}
	var err error
	if x.decisions, err = rowfile.NewTableWriter[weir.Decision](ctx, d.store(), schema.Named("consent.decisions"), ""); err != nil {
		return nil, err
	}
	if x.newClasses, err = rowfile.NewTableWriter[weir.DecisionClass](ctx, d.store(), schema.Named("consent.classes"), ""); err != nil {
		return nil, err
	}
	if people.have("consent.classes") {
		ids, err := column[string](ctx, people.sess, "select class_id from consent.classes")
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			x.classes[id] = true
		}
	}
	questions := d.questions(p, sp.Run)
	for _, def := range p.Activations {
		var dec *policies.Decider
		if gate != nil {
			dec, err = questions.decider(ctx, gate, def)
		} else if x.decidedOn == nil {
			x.decidedOn, err = people.inputs(ctx)
		}
		if err != nil {
			return nil, err
		}
		out, err := rowfile.NewTableWriter[weir.AudienceRow](ctx, d.store(), schema.Named("activation.audience"), def.Name)
		if err != nil {
			return nil, err
		}
		back, err := x.heldBackWriter(ctx, def.Name)
		if err != nil {
			return nil, err
		}
		x.activations = append(x.activations, &decidingFor{def: def, decider: dec, out: out, back: back, counts: map[string]int64{}, barrier: barrierOf(p, def, sp.Uncomputed)})
	}
	x.order = byPriority(p, x.activations)
	return x, nil
}

func (x *deciding) abort() {
	x.decisions.Abort()
	x.newClasses.Abort()
	for _, a := range x.activations {
		a.out.Abort()
		a.back.Abort()
	}
}

// flush decides a block and writes its decisions and audience.
func (x *deciding) flush(ctx context.Context, a *decidingFor) error {
	if err := x.makeRoom(a); err != nil {
		return err
	}
	rows := make([]policies.Candidate, len(a.block))
	for i := range a.block {
		rows[i] = a.block[i].candidate
	}
	decisions, err := a.decider.Decide(ctx, rows)
	if err != nil {
		return err
	}
	if err := a.shadow.decide(ctx, a.block, decisions, a.decider.Reasons); err != nil {
		return err
	}
	if a.decider.Full() {
		if err := x.keepClasses(a.decider.Drain()); err != nil {
			return err
		}
	}
	for i, dec := range decisions {
		b := a.block[i]
		x.rows++
		if b.prior.ID != "" && policies.Unchanged(b.prior, dec) {
			dec = b.prior // it stays in force
		} else if err := x.decisions.Write(dec); err != nil {
			return err
		}
		if !dec.Allow || !(b.member || a.def.Mode == weir.Upsert) {
			continue
		}
		if b.row, err = obliged(a.def, b.row, a.decider.Part(i), a.decider.Obligations(i)); err != nil {
			return err
		}
		if room, err := x.takeRoom(a, b); err != nil || !room {
			if err != nil {
				return err
			}
			continue
		}
		b.row.ClassID, b.row.DecisionID, b.row.ValidUntil = dec.ClassID, dec.ID, dec.ValidUntil
		if err := a.out.Write(b.row); err != nil {
			return err
		}
	}
	a.block = a.block[:0]
	return nil
}

// keepClasses writes the classes that the lake does not know yet.
func (x *deciding) keepClasses(found []weir.DecisionClass) error {
	for _, c := range found {
		if x.classes[c.ID] {
			continue
		}
		x.classes[c.ID] = true
		if err := x.newClasses.Write(c); err != nil {
			return err
		}
	}
	return nil
}
