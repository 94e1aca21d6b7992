package receiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"

	"github.com/weir-cdp/weir"
)

// maxBody bounds a request's body in bytes.
const maxBody = 64 << 20

// State is what the receiver holds and has counted.
type State struct {
	// Rows are the rows held now: of each delivered key the fields last sent. A
	// key that several activations send appears once; Activations tells them apart.
	Rows        map[string]map[string]any            `json:"rows"`
	Activations map[string]map[string]map[string]any `json:"activations"` // activation → key → fields
	Adds        int                                  `json:"adds"`
	Updates     int                                  `json:"updates"`
	Removes     int                                  `json:"removes"`
	Duplicates  int                                  `json:"duplicates"` // rows whose idempotency key was seen before
	Requests    int                                  `json:"requests"`   // taken since the start
}

// Receiver is an http.Handler: POST takes rows on any path, GET /state tells the
// State as JSON. It is safe for concurrent use.
type Receiver struct {
	mu    sync.Mutex
	log   io.WriteCloser // nil: memory only
	seen  map[string]bool
	state State
}

// New makes a receiver that forgets when the process ends.
func New() *Receiver {
	return &Receiver{seen: map[string]bool{}, state: State{Activations: map[string]map[string]map[string]any{}}}
}

// row is one of a request's rows, as connectors/webhook writes it.
type row struct {
	Op             weir.Op        `json:"op"`
	Key            string         `json:"key"`
	IdempotencyKey string         `json:"idempotency_key"`
	Sequence       int64          `json:"sequence"`
	Fields         map[string]any `json:"fields,omitempty"`
}

type body struct {
	Activation string `json:"activation"`
	RunID      string `json:"run_id"`
	Rows       []row  `json:"rows"`
}

// ServeHTTP takes a delivery or tells the state.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch {
	case req.Method == http.MethodGet && req.URL.Path == "/state":
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(r.State()) // the reader may have gone
	case req.Method == http.MethodPost:
		r.receive(w, req)
	default:
		http.Error(w, "POST rows, or GET /state", http.StatusMethodNotAllowed)
	}
}

func (r *Receiver) receive(w http.ResponseWriter, req *http.Request) {
	b, err := parse(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	if err := r.take(b); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// parse reads a body and refuses what is not as documented, without values.
func parse(from io.Reader) (body, error) {
	var b body
	dec := json.NewDecoder(from)
	dec.UseNumber() // a decimal keeps its digits
	if err := dec.Decode(&b); err != nil {
		return body{}, fmt.Errorf("the body is no JSON object as Weir sends it")
	}
	if b.Activation == "" || len(b.Rows) == 0 {
		return body{}, fmt.Errorf("the body names no activation or has no rows")
	}
	for i, x := range b.Rows {
		if x.Key == "" || x.IdempotencyKey == "" {
			return body{}, fmt.Errorf("row %d has no key or no idempotency_key", i+1)
		}
		switch x.Op {
		case weir.Add, weir.Update, weir.Remove:
		default:
			return body{}, fmt.Errorf("row %d has an op that is none of add, update, remove", i+1)
		}
	}
	return b, nil
}

// take applies one request's rows.
func (r *Receiver) take(b body) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log != nil {
		line := new(bytes.Buffer)
		if err := json.NewEncoder(line).Encode(b); err != nil {
			return fmt.Errorf("write down what came: %w", err)
		}
		if _, err := r.log.Write(line.Bytes()); err != nil {
			return fmt.Errorf("write down what came: %w", err)
		}
	}
	r.apply(b)
	return nil
}

func (r *Receiver) apply(b body) {
	r.state.Requests++
	rows := r.state.Activations[b.Activation]
	if rows == nil {
		rows = map[string]map[string]any{}
		r.state.Activations[b.Activation] = rows
	}
	for _, x := range b.Rows {
		id := b.Activation + "\x00" + x.IdempotencyKey
		if r.seen[id] {
			r.state.Duplicates++
			continue
		}
		r.seen[id] = true
		switch x.Op {
		case weir.Add:
			r.state.Adds++
			rows[x.Key] = x.Fields
		case weir.Update:
			r.state.Updates++
			rows[x.Key] = x.Fields
		case weir.Remove:
			r.state.Removes++
			delete(rows, x.Key)
		}
	}
}

// State is a copy of what is held and counted now.
func (r *Receiver) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state
	s.Rows = map[string]map[string]any{}
	s.Activations = make(map[string]map[string]map[string]any, len(r.state.Activations))
	for activation, rows := range r.state.Activations {
		s.Activations[activation] = maps.Clone(rows) // fields are never changed in place
		maps.Copy(s.Rows, rows)
	}
	return s
}
