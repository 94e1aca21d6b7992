package jobservice

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// Flink is the REST of a Flink job manager.
type Flink struct {
	base   string
	client *http.Client
}

// NewFlink makes a client for the REST at a URL.
func NewFlink(base string) *Flink {
	return &Flink{base: strings.TrimRight(base, "/"), client: &http.Client{Timeout: 20 * time.Second}}
}

// Job is a job as Flink lists it.
type Job struct {
	ID    string `json:"jid"`
	Name  string `json:"name"`
	State string `json:"state"` // CREATED, RUNNING, RESTARTING, FAILING, FINISHED, FAILED, CANCELED …
	Start int64  `json:"start-time"`
}

// Ended reports whether the job will do no more.
func (j Job) Ended() bool {
	switch j.State {
	case "FINISHED", "FAILED", "CANCELED", "SUSPENDED":
		return true
	}
	return false
}

// Details is a job with its parts.
type Details struct {
	Job
	Vertices []struct {
		Name        string         `json:"name"`
		Status      string         `json:"status"`
		Parallelism int            `json:"parallelism"`
		Tasks       map[string]int `json:"tasks"` // by state
	} `json:"vertices"`
}

// Overview says which cluster this is.
type Overview struct {
	Version      string `json:"flink-version"`
	TaskManagers int    `json:"taskmanagers"`
	Slots        int    `json:"slots-total"`
	Free         int    `json:"slots-available"`
}

// Overview asks for the cluster's version and size.
func (f *Flink) Overview(ctx context.Context) (Overview, error) {
	var o Overview
	if err := f.get(ctx, "/overview", &o); err != nil {
		return o, err
	}
	if o.Version == "" {
		return o, f.foreign("it names no version")
	}
	return o, nil
}

// Check reports what makes this unfit as a runner's cluster.
func (f *Flink) Check(ctx context.Context) error {
	_, err := f.Overview(ctx)
	if weir.CodeOf(err) == weir.NotFound {
		return f.foreign("it has no /overview")
	}
	return err
}

func (f *Flink) foreign(why string) error {
	return weir.Errorf(weir.Invalid, "what answers there is not Flink's REST: %s", why).At(f.base).Then("check runner.rest in weir.yaml")
}

// Jobs lists all jobs that Flink remembers.
func (f *Flink) Jobs(ctx context.Context) ([]Job, error) {
	var all struct {
		Jobs []Job `json:"jobs"`
	}
	err := f.get(ctx, "/jobs/overview", &all)
	return all.Jobs, err
}

// Running lists the jobs of a name that have not ended, the first submitted first.
func (f *Flink) Running(ctx context.Context, name string) ([]Job, error) {
	jobs, err := f.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	jobs = slices.DeleteFunc(jobs, func(j Job) bool { return j.Name != name || j.Ended() })
	slices.SortFunc(jobs, func(a, b Job) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID)) })
	return jobs, nil
}

// Details asks for a job: NotFound where Flink does not know it (any more).
func (f *Flink) Details(ctx context.Context, id string) (Details, error) {
	var d Details
	return d, f.get(ctx, "/jobs/"+url.PathEscape(id), &d)
}

// Why returns the text of what failed a job last, "" if nothing did.
func (f *Flink) Why(ctx context.Context, id string) (string, error) {
	var e struct {
		Root    string `json:"root-exception"`
		History struct {
			Entries []struct {
				Stacktrace string `json:"stacktrace"`
			} `json:"entries"`
		} `json:"exceptionHistory"`
	}
	if err := f.get(ctx, "/jobs/"+url.PathEscape(id)+"/exceptions", &e); err != nil {
		return "", err
	}
	if len(e.History.Entries) > 0 {
		return e.History.Entries[0].Stacktrace, nil
	}
	return e.Root, nil
}

// Cancel asks Flink to cancel a job; it does so later. One that has ended stays so.
func (f *Flink) Cancel(ctx context.Context, id string) error {
	err := f.do(ctx, http.MethodPatch, "/jobs/"+url.PathEscape(id)+"?mode=cancel", nil)
	if code := weir.CodeOf(err); code == weir.NotFound || code == weir.Conflict {
		return nil
	}
	return err
}

func (f *Flink) get(ctx context.Context, path string, into any) error {
	return f.do(ctx, http.MethodGet, path, into)
}

// do makes one request. Unavailable: nobody answers, or not now.
func (f *Flink) do(ctx context.Context, method, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, f.base+path, nil)
	if err != nil {
		return weir.Errorf(weir.Invalid, "runner.rest: %w", err).At(f.base).Then("give the URL of Flink's REST in weir.yaml, such as http://flink:8081")
	}
	response, err := f.client.Do(request)
	if err != nil {
		return weir.Errorf(weir.Unavailable, "Flink's REST does not answer: %w", err).At(f.base).Then("check runner.rest in weir.yaml, and that the job manager is up")
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	switch {
	case err != nil:
		return weir.Errorf(weir.Unavailable, "Flink's REST broke off: %w", err).At(f.base)
	case response.StatusCode == http.StatusNotFound:
		return weir.Errorf(weir.NotFound, "Flink does not know it").At(f.base + path)
	case response.StatusCode == http.StatusConflict:
		return weir.Errorf(weir.Conflict, "Flink refuses: %s", cut(string(body))).At(f.base + path)
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return weir.Errorf(weir.Denied, "Flink's REST refuses us (%s)", response.Status).At(f.base).Then("let this machine through to the job manager")
	case response.StatusCode >= http.StatusMultipleChoices:
		return weir.Errorf(weir.Unavailable, "Flink's REST answers %s", response.Status).At(f.base + path)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return f.foreign(fmt.Sprintf("%s is no JSON", path))
	}
	return nil
}
