// A program over the unmodified Go SDK, run against a started server (CRIA_TEST_URL).
// It prints one line a step and ends with `sdk-go: N passed, N failed, N skipped`.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/run-llama/llama-parse-go"
	"github.com/run-llama/llama-parse-go/option"
)

const question = "Which plant had the longest outage?"

const outages = "Outage report\n\nThe Elm Street plant had the longest outage of the year: 61 days.\n" +
	"The Quarry Road plant lost 14 days. The Mill Lane plant ran without an outage.\n"

var (
	ctx    = context.Background()
	client llamacloud.Client
	passed int
	failed int

	directoryID, storedID, entryID, indexID, parsedID, sessionID string
)

func step(name string, run func() error) {
	if err := run(); err != nil {
		failed++
		fmt.Printf("not ok %s: %v\n", name, err)
		return
	}
	passed++
	fmt.Printf("ok %s\n", name)
}

func want(fact bool, format string, args ...any) error {
	if fact {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func statusOf(err error) int {
	var apiError *llamacloud.Error
	if errors.As(err, &apiError) {
		return apiError.StatusCode
	}
	return 0
}

// newSession is the reference page's program: an API key, empty params, the session's id.
func newSession() error {
	chat, err := client.Beta.Chat.New(context.TODO(), llamacloud.BetaChatNewParams{})
	if err != nil {
		return err
	}
	fmt.Printf("%+v\n", chat.SessionID)
	return want(chat.SessionID != "", "no session id")
}

func directories() error {
	made, err := client.Beta.Directories.New(ctx, llamacloud.BetaDirectoryNewParams{Name: "go"})
	if err != nil {
		return err
	}
	directoryID = made.ID
	got, err := client.Beta.Directories.Get(ctx, made.ID, llamacloud.BetaDirectoryGetParams{})
	if err != nil {
		return err
	}
	changed, err := client.Beta.Directories.Update(ctx, made.ID, llamacloud.BetaDirectoryUpdateParams{
		Description: llamacloud.String("changed"),
	})
	if err != nil {
		return err
	}
	other, err := client.Beta.Directories.New(ctx, llamacloud.BetaDirectoryNewParams{Name: "go"})
	if err != nil {
		return err
	}
	count := 0
	pages := client.Beta.Directories.ListAutoPaging(ctx, llamacloud.BetaDirectoryListParams{
		Name: llamacloud.String("go"), PageSize: llamacloud.Int(1),
	})
	for pages.Next() {
		count++
	}
	if pages.Err() != nil {
		return pages.Err()
	}
	err = client.Beta.Directories.Delete(ctx, other.ID, llamacloud.BetaDirectoryDeleteParams{})
	if err != nil {
		return err
	}
	return want(got.Name == "go" && changed.Description == "changed" && count == 2 && !got.CreatedAt.IsZero(),
		"%q %q %d %v", got.Name, changed.Description, count, got.CreatedAt)
}

func files() error {
	made, err := client.Files.New(ctx, llamacloud.FileNewParams{
		File: llamacloud.NewFile(strings.NewReader(outages), "outages.txt", "text/plain"), Purpose: "user_data",
	})
	if err != nil {
		return err
	}
	storedID = made.ID
	nameless, err := client.Files.New(ctx, llamacloud.FileNewParams{
		File: io.Reader(strings.NewReader("x")), Purpose: "parse",
	})
	if err != nil {
		return err
	}
	link, err := client.Files.Content(ctx, made.ID, llamacloud.FileContentParams{})
	if err != nil {
		return err
	}
	answer, err := http.Get(link.URL)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	got, err := client.Files.Get(ctx, made.ID, llamacloud.FileGetParams{})
	if err != nil {
		return err
	}
	found, err := client.Files.Query(ctx, llamacloud.FileQueryParams{PageSize: llamacloud.Int(1)})
	if err != nil {
		return err
	}
	count := 0
	pages := client.Files.ListAutoPaging(ctx, llamacloud.FileListParams{PageSize: llamacloud.Int(1)})
	for pages.Next() {
		count++
	}
	if pages.Err() != nil {
		return pages.Err()
	}
	if err := client.Files.Delete(ctx, nameless.ID, llamacloud.FileDeleteParams{}); err != nil {
		return err
	}
	return want(string(body) == outages && got.Name == "outages.txt" && len(found.Items) == 1 && count >= 2,
		"%q %q %d %d", body, got.Name, len(found.Items), count)
}

func directoryFiles() error {
	added, err := client.Beta.Directories.Files.Add(ctx, directoryID, llamacloud.BetaDirectoryFileAddParams{
		FileID: storedID,
	})
	if err != nil {
		return err
	}
	entryID = added.ID
	for _, name := range []string{"bees.txt", "cats.txt"} {
		_, err = client.Beta.Directories.Files.Upload(ctx, directoryID, llamacloud.BetaDirectoryFileUploadParams{
			UploadFile: llamacloud.NewFile(strings.NewReader("About "+name), name, "text/plain"),
		})
		if err != nil {
			return err
		}
	}
	changed, err := client.Beta.Directories.Files.Update(ctx, entryID, llamacloud.BetaDirectoryFileUpdateParams{
		DirectoryID: directoryID, DisplayName: llamacloud.String("report.txt"),
	})
	if err != nil {
		return err
	}
	got, err := client.Beta.Directories.Files.Get(ctx, entryID, llamacloud.BetaDirectoryFileGetParams{
		DirectoryID: directoryID,
	})
	if err != nil {
		return err
	}
	count := 0
	pages := client.Beta.Directories.Files.ListAutoPaging(ctx, directoryID, llamacloud.BetaDirectoryFileListParams{
		PageSize: llamacloud.Int(1),
	})
	for pages.Next() {
		count++
	}
	if pages.Err() != nil {
		return pages.Err()
	}
	return want(changed.DisplayName == "report.txt" && got.ID == entryID && count == 3,
		"%q %q %d", changed.DisplayName, got.ID, count)
}

func indexes() error {
	made, err := client.Beta.Indexes.New(ctx, llamacloud.BetaIndexNewParams{
		SourceDirectoryID: directoryID, Name: llamacloud.String("go"),
	})
	if err != nil {
		return err
	}
	indexID = made.ID
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		got, err := client.Beta.Indexes.Get(ctx, indexID, llamacloud.BetaIndexGetParams{})
		if err != nil {
			return err
		}
		status := fmt.Sprint(got.Metadata["status"])
		if strings.Contains(status, "ready") {
			break
		}
		if strings.Contains(status, "failed") || time.Now().After(deadline) {
			return fmt.Errorf("the build ended as %s", got.RawJSON())
		}
	}
	count := 0
	pages := client.Beta.Indexes.ListAutoPaging(ctx, llamacloud.BetaIndexListParams{
		SourceDirectoryID: llamacloud.String(directoryID), PageSize: llamacloud.Int(1),
	})
	for pages.Next() {
		count++
	}
	if pages.Err() != nil {
		return pages.Err()
	}
	_, err = client.Beta.Indexes.Sync(ctx, indexID, llamacloud.BetaIndexSyncParams{})
	if err != nil {
		return err
	}
	return want(count == 1, "%d indexes", count)
}

func retrieval() error {
	found, err := client.Beta.Retrieval.Get(ctx, llamacloud.BetaRetrievalGetParams{
		IndexID: indexID, Query: question, TopK: llamacloud.Int(3),
	})
	if err != nil {
		return err
	}
	if len(found.Results) == 0 || !strings.Contains(found.Results[0].Content, "Elm Street") {
		return fmt.Errorf("not found: %s", found.RawJSON())
	}
	parsedID = found.Results[0].StaticFields.ParsedDirectoryFileID
	names := []string{}
	files := client.Beta.Retrieval.FindAutoPaging(ctx, llamacloud.BetaRetrievalFindParams{
		IndexID: indexID, PageSize: llamacloud.Int(1),
	})
	for files.Next() {
		names = append(names, files.Current().FileName)
	}
	if files.Err() != nil {
		return files.Err()
	}
	matches := []string{}
	hits := client.Beta.Retrieval.GrepAutoPaging(ctx, llamacloud.BetaRetrievalGrepParams{
		IndexID: indexID, FileID: parsedID, Pattern: `\d+ days`, PageSize: llamacloud.Int(1),
	})
	for hits.Next() {
		matches = append(matches, hits.Current().Content)
	}
	if hits.Err() != nil {
		return hits.Err()
	}
	read, err := client.Beta.Retrieval.Read(ctx, llamacloud.BetaRetrievalReadParams{
		IndexID: indexID, FileID: parsedID, Offset: llamacloud.Int(0), MaxLength: llamacloud.Int(13),
	})
	if err != nil {
		return err
	}
	return want(strings.Join(names, " ") == "bees.txt cats.txt report.txt" &&
		strings.Join(matches, ",") == "61 days,14 days" && read.Content == "Outage report",
		"%v %v %q", names, matches, read.Content)
}

// stream reads the turn piece by piece: a response pointer as the body's destination.
func stream() error {
	chat, err := client.Beta.Chat.New(ctx, llamacloud.BetaChatNewParams{IndexIDs: []string{indexID}})
	if err != nil {
		return err
	}
	sessionID = chat.SessionID
	var response *http.Response
	_, err = client.Beta.Chat.Stream(ctx, sessionID, llamacloud.BetaChatStreamParams{
		IndexIDs: []string{indexID}, Prompt: question,
	}, option.WithResponseBodyInto(&response))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, last := "", ""
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData {
			continue
		}
		var event struct{ Type, Content string }
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			return err
		}
		if event.Type == "text_delta" {
			text += event.Content
		}
		last = event.Type
	}
	if lines.Err() != nil {
		return lines.Err()
	}
	return want(last == "stop" && strings.Contains(text, "Elm Street"), "%q %q", last, text)
}

func sessions() error {
	got, err := client.Beta.Chat.Get(ctx, sessionID, llamacloud.BetaChatGetParams{})
	if err != nil {
		return err
	}
	kinds := []string{}
	for _, event := range got.Events {
		switch event.AsAny().(type) {
		case llamacloud.BetaChatGetResponseEventUserInput:
			kinds = append(kinds, "user_input")
		case llamacloud.BetaChatGetResponseEventToolCall:
			kinds = append(kinds, "tool_call")
		case llamacloud.BetaChatGetResponseEventToolResult:
			kinds = append(kinds, "tool_result")
		case llamacloud.BetaChatGetResponseEventText:
			kinds = append(kinds, "text")
		case llamacloud.BetaChatGetResponseEventStop:
			kinds = append(kinds, "stop")
		default:
			return fmt.Errorf("an event of no known kind: %s", event.RawJSON())
		}
	}
	summary, err := client.Beta.Chat.GetSummary(ctx, sessionID, llamacloud.BetaChatGetSummaryParams{})
	if err != nil {
		return err
	}
	count := 0
	pages := client.Beta.Chat.ListAutoPaging(ctx, llamacloud.BetaChatListParams{PageSize: llamacloud.Int(1)})
	for pages.Next() {
		count++
	}
	if pages.Err() != nil {
		return pages.Err()
	}
	if err := client.Beta.Chat.Delete(ctx, sessionID, llamacloud.BetaChatDeleteParams{}); err != nil {
		return err
	}
	_, err = client.Beta.Chat.Get(ctx, sessionID, llamacloud.BetaChatGetParams{})
	return want(statusOf(err) == 404 && count >= 2 && summary.GeneratedTitle == question &&
		kinds[0] == "user_input" && kinds[len(kinds)-1] == "stop",
		"%d %d %q %v", statusOf(err), count, summary.GeneratedTitle, kinds)
}

func projects() error {
	listed, err := client.Projects.List(ctx, llamacloud.ProjectListParams{})
	if err != nil {
		return err
	}
	first := (*listed)[0]
	one, err := client.Projects.Get(ctx, first.ID, llamacloud.ProjectGetParams{})
	if err != nil {
		return err
	}
	second, err := client.V2Projects.Get(ctx, first.ID, llamacloud.V2ProjectGetParams{})
	if err != nil {
		return err
	}
	page, err := client.V2Projects.List(ctx, llamacloud.V2ProjectListParams{})
	if err != nil {
		return err
	}
	return want(one.ID == first.ID && second.ID == first.ID && len(page.Items) == len(*listed), "%v", listed)
}

func configurations() error {
	made, err := client.Configurations.New(ctx, llamacloud.ConfigurationNewParams{
		ConfigurationCreate: llamacloud.ConfigurationCreateParam{
			Name: "go",
			Parameters: llamacloud.ConfigurationCreateParametersUnionParam{
				OfParseV2: &llamacloud.ParseV2Parameters{Tier: "fast", Version: "latest"},
			},
		},
	})
	if err != nil {
		return err
	}
	got, err := client.Configurations.Get(ctx, made.ID, llamacloud.ConfigurationGetParams{})
	if err != nil {
		return err
	}
	changed, err := client.Configurations.Update(ctx, made.ID, llamacloud.ConfigurationUpdateParams{
		Name: llamacloud.String("go renamed"),
	})
	if err != nil {
		return err
	}
	count := 0
	pages := client.Configurations.ListAutoPaging(ctx, llamacloud.ConfigurationListParams{
		Name: llamacloud.String("go renamed"), PageSize: llamacloud.Int(1),
	})
	for pages.Next() {
		count++
	}
	if pages.Err() != nil {
		return pages.Err()
	}
	err = client.Configurations.Delete(ctx, made.ID, llamacloud.ConfigurationDeleteParams{})
	return want(err == nil && got.Name == "go" && changed.ID == made.ID && count == 1,
		"%v %q %q %d", err, got.Name, changed.ID, count)
}

func endings() error {
	err := client.Beta.Directories.Files.Delete(ctx, entryID, llamacloud.BetaDirectoryFileDeleteParams{
		DirectoryID: directoryID,
	})
	if err != nil {
		return err
	}
	if err := client.Beta.Indexes.Delete(ctx, indexID, llamacloud.BetaIndexDeleteParams{}); err != nil {
		return err
	}
	_, err = client.Beta.Indexes.Get(ctx, indexID, llamacloud.BetaIndexGetParams{})
	return want(statusOf(err) == 404, "%v", err)
}

func main() {
	client = llamacloud.NewClient(
		option.WithAPIKey("any"), option.WithBaseURL(os.Getenv("CRIA_TEST_URL")))
	step("a session without arguments", newSession)
	step("directories", directories)
	step("files", files)
	step("directory files", directoryFiles)
	step("indexes", indexes)
	step("retrieval", retrieval)
	step("a turn, streamed", stream)
	step("sessions", sessions)
	step("projects", projects)
	step("configurations", configurations)
	step("endings", endings)
	fmt.Printf("sdk-go: %d passed, %d failed, 0 skipped\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
