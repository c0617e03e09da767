import ai.llamaindex.llamacloud.client.LlamaCloudClient;
import ai.llamaindex.llamacloud.client.okhttp.LlamaCloudOkHttpClient;
import ai.llamaindex.llamacloud.core.MultipartField;
import ai.llamaindex.llamacloud.core.http.HttpResponse;
import ai.llamaindex.llamacloud.errors.NotFoundException;
import ai.llamaindex.llamacloud.errors.UnexpectedStatusCodeException;
import ai.llamaindex.llamacloud.models.beta.chat.ChatCreateParams;
import ai.llamaindex.llamacloud.models.beta.chat.ChatListParams;
import ai.llamaindex.llamacloud.models.beta.chat.ChatStreamParams;
import ai.llamaindex.llamacloud.models.beta.directories.DirectoryCreateParams;
import ai.llamaindex.llamacloud.models.beta.directories.DirectoryListParams;
import ai.llamaindex.llamacloud.models.beta.directories.files.FileListParams;
import ai.llamaindex.llamacloud.models.beta.directories.files.FileUploadParams;
import ai.llamaindex.llamacloud.models.beta.indexes.IndexCreateParams;
import ai.llamaindex.llamacloud.models.beta.retrieval.RetrievalFindParams;
import ai.llamaindex.llamacloud.models.beta.retrieval.RetrievalGrepParams;
import ai.llamaindex.llamacloud.models.beta.retrieval.RetrievalReadParams;
import ai.llamaindex.llamacloud.models.beta.retrieval.RetrievalRetrieveParams;
import ai.llamaindex.llamacloud.models.files.FileCreateParams;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A program over the unmodified Java SDK, run against a started server (CRIA_TEST_URL), with the
 * SDK's own response validation. It prints one line a step and a closing line of counts.
 */
public final class Program {
    private static final String QUESTION = "Which plant had the longest outage?";
    private static final String OUTAGES =
            "Outage report\n\nThe Elm Street plant had the longest outage of the year: 61 days.\n"
                    + "The Quarry Road plant lost 14 days. The Mill Lane plant ran without one.\n";

    private interface Step {
        void run() throws Exception;
    }

    private static LlamaCloudClient client;
    private static int passed;
    private static int failed;
    private static String directoryId;
    private static String indexId;
    private static String sessionId;

    private static void step(String name, Step step) {
        try {
            step.run();
            passed++;
            System.out.println("ok " + name);
        } catch (Throwable problem) {
            failed++;
            System.out.println("not ok " + name + ": " + problem);
        }
    }

    private static void want(boolean fact, Object told) {
        if (!fact) {
            throw new IllegalStateException(String.valueOf(told));
        }
    }

    private static InputStream bytes(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    private static MultipartField<InputStream> named(String text, String name) {
        return MultipartField.<InputStream>builder().value(bytes(text)).filename(name).build();
    }

    private static void sessionWithoutArguments() {
        String id = client.beta().chat().create().sessionId();
        System.out.println(id);
        want(!id.isEmpty(), "no session id");
    }

    private static void files() {
        String named = client.files().create(FileCreateParams.builder()
                .file(named(OUTAGES, "a.txt")).purpose("user_data").build()).name();
        want(named.equals("a.txt"), named);
        // A plain stream has no file name in this SDK.
        String nameless = client.files().create(FileCreateParams.builder()
                .file(bytes("x")).purpose("parse").build()).name();
        want(nameless.startsWith("upload-"), nameless);
        int count = 0;
        for (Object ignored : client.files().list().autoPager()) {
            count++;
        }
        want(count >= 2, count);
    }

    private static void directories() {
        directoryId = client.beta().directories()
                .create(DirectoryCreateParams.builder().name("java").build()).id();
        client.beta().directories().create(DirectoryCreateParams.builder().name("java").build());
        int count = 0;
        for (Object ignored : client.beta().directories().list(
                DirectoryListParams.builder().name("java").pageSize(1L).build()).autoPager()) {
            count++;
        }
        want(count == 2, count);
        want(client.beta().directories().get(directoryId).name().equals("java"), directoryId);
    }

    private static void directoryFiles() {
        for (String name : List.of("report.txt", "bees.txt", "cats.txt")) {
            client.beta().directories().files().upload(directoryId, FileUploadParams.builder()
                    .uploadFile(named(name.equals("report.txt") ? OUTAGES : "About " + name, name))
                    .build());
        }
        int count = 0;
        for (Object ignored : client.beta().directories().files().list(
                directoryId, FileListParams.builder().pageSize(1L).build()).autoPager()) {
            count++;
        }
        want(count == 3, count);
    }

    private static void indexes() throws Exception {
        indexId = client.beta().indexes().create(
                IndexCreateParams.builder().sourceDirectoryId(directoryId).name("java").build()).id();
        String status = "";
        for (int i = 0; i < 3000 && !status.equals("ready") && !status.equals("failed"); i++) {
            Map<String, ?> metadata =
                    client.beta().indexes().get(indexId).metadata().get()._additionalProperties();
            status = String.valueOf(metadata.get("status"));
            Thread.sleep(20);
        }
        want(status.equals("ready"), status);
        client.beta().indexes().sync(indexId);
    }

    private static void retrieval() {
        var found = client.beta().retrieval().retrieve(RetrievalRetrieveParams.builder()
                .indexId(indexId).query(QUESTION).topK(3L).build()).results();
        want(found.get(0).content().contains("Elm Street"), found);
        String fileId = found.get(0).staticFields().get().parsedDirectoryFileId().get();
        List<String> names = new ArrayList<>();
        client.beta().retrieval().find(
                RetrievalFindParams.builder().indexId(indexId).pageSize(1L).build())
                .autoPager().forEach(file -> names.add(file.fileName()));
        want(names.equals(List.of("bees.txt", "cats.txt", "report.txt")), names);
        List<String> matches = new ArrayList<>();
        client.beta().retrieval().grep(RetrievalGrepParams.builder().indexId(indexId).fileId(fileId)
                .pattern("\\d+ days").pageSize(1L).build())
                .autoPager().forEach(match -> matches.add(match.content()));
        want(matches.equals(List.of("61 days", "14 days")), matches);
        String text = client.beta().retrieval().read(RetrievalReadParams.builder()
                .indexId(indexId).fileId(fileId).offset(0L).maxLength(13L).build()).content();
        want(text.equals("Outage report"), text);
    }

    private static void stream() throws Exception {
        sessionId = client.beta().chat()
                .create(ChatCreateParams.builder().addIndexId(indexId).build()).sessionId();
        StringBuilder all = new StringBuilder();
        try (HttpResponse response = client.beta().chat().withRawResponse().stream(sessionId,
                ChatStreamParams.builder().addIndexId(indexId).prompt(QUESTION).build());
                BufferedReader lines = new BufferedReader(
                        new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                all.append(line).append('\n');
            }
        }
        want(all.indexOf("\"type\":\"user_input\"") > 0 && all.indexOf("Elm Street") > 0, all);
        want(all.lastIndexOf("\"type\":\"stop\"") == all.indexOf("\"type\":\"stop\""), all);
    }

    private static void sessions() {
        var whole = client.beta().chat().retrieve(sessionId);
        want(whole.events().get(0).isUserInput(), whole.events());
        want(whole.events().get(whole.events().size() - 1).isStop(), whole.events());
        want(client.beta().chat().getSummary(sessionId).generatedTitle().get().equals(QUESTION),
                "the title");
        int count = 0;
        for (Object ignored : client.beta().chat().list(
                ChatListParams.builder().pageSize(1L).build()).autoPager()) {
            count++;
        }
        want(count >= 2, count);
        client.beta().chat().delete(sessionId);
        try {
            client.beta().chat().retrieve(sessionId);
            want(false, "a deleted session is still there");
        } catch (NotFoundException expected) {
            want(expected.statusCode() == 404, expected);
        }
    }

    private static void conflicts() {
        String locked = client.beta().chat()
                .create(ChatCreateParams.builder().addIndexId(indexId).build()).sessionId();
        client.beta().chat().withRawResponse().stream(locked,
                ChatStreamParams.builder().addIndexId(indexId).prompt(QUESTION).build()).close();
        String other = client.beta().indexes().create(
                IndexCreateParams.builder().sourceDirectoryId(directoryId).build()).id();
        try {
            client.beta().chat().withRawResponse().stream(locked,
                    ChatStreamParams.builder().addIndexId(other).prompt(QUESTION).build()).close();
            want(false, "a locked session took another index");
        } catch (UnexpectedStatusCodeException expected) {
            want(expected.statusCode() == 409, expected);
        }
        client.beta().indexes().delete(indexId);
    }

    private static void projects() {
        var projects = client.projects().list();
        want(client.projects().get(projects.get(0).id()).name().equals(projects.get(0).name()),
                projects);
    }

    public static void main(String[] args) {
        client = LlamaCloudOkHttpClient.builder().apiKey("any")
                .baseUrl(System.getenv("CRIA_TEST_URL")).responseValidation(true).build();
        step("a session without arguments", Program::sessionWithoutArguments);
        step("files", Program::files);
        step("directories", Program::directories);
        step("directory files", Program::directoryFiles);
        step("indexes", Program::indexes);
        step("retrieval", Program::retrieval);
        step("a turn, streamed", Program::stream);
        step("sessions", Program::sessions);
        step("conflicts", Program::conflicts);
        step("projects", Program::projects);
        System.out.printf("sdk-java: %d passed, %d failed, 0 skipped%n", passed, failed);
        System.exit(failed > 0 ? 1 : 0);
    }
}
