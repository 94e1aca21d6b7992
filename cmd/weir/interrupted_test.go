package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

func TestWhoIsDead(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ended := exec.Command(self, "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	living := os.Getppid()
	for identity, want := range map[string]bool{
		fmt.Sprintf("%d@%s@queue", ended.Process.Pid, host):        true,
		fmt.Sprintf("%d@%s@", os.Getpid(), host):                   true,
		fmt.Sprintf("%d@%s@queue", living, host):                   false,
		fmt.Sprintf("%d@another%s@queue", ended.Process.Pid, host): false,
		"a name of one's own":                                      false, "": false, "@@": false, "-1@" + host + "@": false,
	} {
		if deadHere(identity) != want {
			t.Errorf("%q is dead: %v", identity, !want)
		}
	}
}
